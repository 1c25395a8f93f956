"""What the text front end returns: the phones of one line, unit by unit, and what it could not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice.text.symbols import MARKS, phone_ids

SOURCES = ("dictionary", "lexicon", "inline", "model", "rule", "letters", "mark")
OVERRIDING = frozenset({"lexicon", "inline"})


@dataclass(frozen=True)
class Span:
    """A run of one language: `text` as written, covering units `start` to `end` (end excluded)."""

    lang: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Unit:
    """One character (zh, yue), word (en, ko) or phrase (ja), or punctuation mark, with its phones.

    `source` says where the reading came from: one of SOURCES.
    """

    word: str
    phones: tuple[str, ...]
    lang: str
    source: str = "dictionary"


@dataclass(frozen=True)
class Reading:
    """Phones of one line. `words`, `langs`, `sources` and `word2ph` run in step; sum(word2ph) == len(phones)."""

    text: str
    norm: str
    phones: tuple[str, ...]
    word2ph: tuple[int, ...]
    words: tuple[str, ...]
    langs: tuple[str, ...]
    sources: tuple[str, ...]
    segments: tuple[Span, ...]
    warnings: tuple[str, ...]

    @property
    def overridden(self) -> tuple[bool, ...]:
        """Which units the user gave the reading of, in the text or in a lexicon."""
        return tuple(source in OVERRIDING for source in self.sources)

    @property
    def ids(self) -> list[int]:
        """Ids of the phones in the version 2 table."""
        return phone_ids(self.phones)


def build(text: str, units: Sequence[Unit], segments: Sequence[Span], warnings: Sequence[str]) -> Reading:
    """Reading from units; each distinct warning is kept once, in order."""
    return Reading(
        text=text,
        norm=_join(units),
        phones=tuple(phone for unit in units for phone in unit.phones),
        word2ph=tuple(len(unit.phones) for unit in units),
        words=tuple(unit.word for unit in units),
        langs=tuple(unit.lang for unit in units),
        sources=tuple(unit.source for unit in units),
        segments=tuple(segments),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _join(units: Sequence[Unit]) -> str:
    """Normalised text: spaces around English words, none inside Chinese or before a mark."""
    pieces: list[str] = []
    for before, unit in zip([None, *units], units, strict=False):
        mark = unit.word in MARKS
        apart = before is not None and not mark and "en" in (unit.lang, before.lang)
        apart = apart and not (unit.word.isspace() or (before is not None and before.word.isspace()))
        pieces.append(f" {unit.word}" if apart else unit.word)
    return "".join(pieces)
