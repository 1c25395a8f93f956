"""The user's own words found in a text: the longest at each place, whatever words the segmenter would see there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from voice.errors import UserError
from voice.text.overrides import Override, Signs, make_override

_LETTER = re.compile("[A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ]")
_CAPITAL_INSIDE = re.compile(r"(?<=[^\W\d_])[A-Z]")
_PLAIN_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")


@dataclass(frozen=True)
class OwnWords:
    """Checked entries of a lexicon. A word with capitals inside (iOS) stands for itself only, others for any case."""

    exact: Mapping[str, Override] = field(default_factory=dict)
    folded: Mapping[str, Override] = field(default_factory=dict)
    lengths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    english: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def mark(self, text: str, signs: Signs) -> str:
        """`text` with every own word that no inline reading covers written as an override."""
        if not self.lengths:
            return text
        folded = fold(text)
        pieces: list[str] = []
        done = 0
        for start, end in list(signs.free_spans(text)):
            place = start
            while place < end:
                found = self._at(text, folded, place, end) if folded[place] in self.lengths else None
                if found is None:
                    place += 1
                    continue
                override, size = found
                pieces += [text[done:place], self._written(override, text[place : place + size], signs)]
                done = place = place + size
        return "".join([*pieces, text[done:]])

    def _at(self, text: str, folded: str, place: int, end: int) -> tuple[Override, int] | None:
        """The longest own word that starts at `place`, and its length in the text."""
        for size in self.lengths[folded[place]]:
            stop = place + size
            if stop > end:
                continue
            override = self.exact.get(text[place:stop]) or self.folded.get(folded[place:stop])
            if override and _stands_alone(text, place, stop):
                return override, size
        return None

    @staticmethod
    def _written(override: Override, word: str, signs: Signs) -> str:
        """Keeps the word as the text has it (python, Python)."""
        fields = (word, override.lang, override.sounds, override.source, override.respelling)
        return signs.written(override if word == override.word else Override(*fields))


def fold(text: str) -> str:
    """Lower case, character by character, so that places stay the same."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def key_of(word: str) -> str:
    """Two entries with the same key stand for the same words."""
    return word if _CAPITAL_INSIDE.search(word) else fold(word)


def parse_lexicon(entries: Mapping[str, str] | None) -> OwnWords:
    """Checked lexicon from word -> "W ER1 D", "hang2 zhang3" or "=other words". Raises UserError naming the entry."""
    return _parsed(tuple((entries or {}).items()))


@lru_cache(maxsize=8)
def _parsed(entries: tuple[tuple[str, str], ...]) -> OwnWords:
    exact: dict[str, Override] = {}
    folded: dict[str, Override] = {}
    lengths: dict[str, set[int]] = {}
    for word, spelling in entries:
        override = check_entry(word, spelling)
        key = key_of(override.word)
        (exact if key != fold(key) else folded)[key] = override
        lengths.setdefault(fold(key)[0], set()).add(len(key))
    english = {key: item.sounds for key, item in folded.items() if item.lang == "en" and _PLAIN_WORD.fullmatch(key)}
    longest_first = {head: tuple(sorted(sizes, reverse=True)) for head, sizes in lengths.items()}
    return OwnWords(exact, folded, longest_first, english)


def check_entry(word: str, spelling: str) -> Override:
    """One entry of a lexicon. Raises UserError."""
    try:
        return make_override(word, spelling, "lexicon")
    except UserError as error:
        raise UserError(f"lexicon word {error.message}", error.hint) from error


def _stands_alone(text: str, start: int, stop: int) -> bool:
    """Whether no letters or digits go on at either end; Chinese characters need no border."""
    first, last = text[start], text[stop - 1]
    before, after = text[start - 1 : start], text[stop : stop + 2]
    if _LETTER.match(first) and (_LETTER.match(before) or re.fullmatch("[A-Za-z]'", text[max(start - 2, 0) : start])):
        return False
    if first.isdigit() and re.search(r"(?:\d|\d[.,:])$", text[max(start - 2, 0) : start]):
        return False
    if _LETTER.match(last):
        return not (_LETTER.match(after) or after[:1].isdigit() or re.match("'(?!s)[a-z]", after, re.IGNORECASE))
    if last.isdigit():
        return not (_LETTER.match(after) or re.match(r"\d|[.,:]\d", after))
    return True
