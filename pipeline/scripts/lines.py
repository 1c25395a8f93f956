"""The values of a script, the same for every format."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

MAX_CHARACTERS = 2000  # of one line; a longer one is cut into sentences, or refused where it cannot be
MAX_BYTES = 100_000_000  # of a text file; the longest novels have 10 MB
GAPS = ("start", "line", "paragraph", "chapter")


@dataclass(frozen=True, slots=True)
class How:
    """How a line is said; None where nothing is said about it. `ref` opens from the current folder."""

    voice: str | None = None
    lang: str | None = None
    ref: str | None = None
    ref_text: str | None = None
    speed: float | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One spoken line.

    - index: counts spoken lines from 1; number: line, row, cue or (EPUB) paragraph of the source, never falling
    - chapter: place in `Script.chapters`; gap: what lies before the line, one of GAPS
    - text: NFC, single spaces; marks of the reader ([pause], [en]...[/en], {word|reading}, 重(chong2)) are still there
    - voice: None is the narrator's; lang, ref, ref_text, seed: None is as the run says; ref opens from here
    - speed: factor, 2 is twice as fast; pause: extra seconds before the line
    - start, end: the slot of a subtitle in seconds, else None
    """

    index: int
    number: int
    chapter: int
    text: str
    gap: str
    voice: str | None = None
    lang: str | None = None
    ref: str | None = None
    ref_text: str | None = None
    speed: float = 1.0
    pause: float = 0.0
    seed: int | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Script:
    """Lines in order, titles of the chapters ("" without one), and what was left out.

    `title`, `author`, `language` are what an EPUB says about itself, else "".
    """

    path: Path
    chapters: tuple[str, ...]
    lines: tuple[ScriptLine, ...]
    warnings: tuple[str, ...] = ()
    title: str = ""
    author: str = ""
    language: str = ""

    @property
    def timed(self) -> bool:
        """True when the lines have slots."""
        return any(line.start is not None for line in self.lines)


@dataclass(frozen=True)
class Place:
    """Where a text stands, for messages: `book.txt, line 3`."""

    path: Path
    unit: str = "line"
    part: str = ""  # a document inside of an archive

    def at(self, number: int) -> str:
        """The place of a line, row, cue or paragraph."""
        inside = f", {self.part}" if self.part else ""
        return f"{self.path}{inside}, {self.unit} {number}"


def tidy(text: str) -> str:
    """NFC, single spaces, none around it; byte order marks, which joined files have in their middle, are dropped."""
    return " ".join(unicodedata.normalize("NFC", text.replace("\ufeff", "")).split())


def has_words(text: str) -> bool:
    """Whether there is a letter or digit to speak."""
    return any(character.isalnum() for character in text)
