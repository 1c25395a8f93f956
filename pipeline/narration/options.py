"""What a book is made into, besides how its lines are spoken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voice.errors import UserError

FORMATS = ("wav", "flac", "opus", "mp3", "m4b")
LOUDNESS = ("none", "r128-16", "r128-18", "r128-23", "acx")
MARKS = ("none", "tone", "spoken")


@dataclass(frozen=True)
class BookOptions:
    """How a book is put together.

    - cast: file of speakers; formats: kinds of sound files; loudness: a target of `voice.mastering.loudness`
    - cover: picture for kinds that hold one; chapters: one file a chapter besides the book
    - strict: no book while a line fails; mark: a sound before the speech; watermark: a name of `watermarks`

    Raises UserError for a format, target or mark that is not known.
    """

    cast: Path | None = None
    formats: tuple[str, ...] = ("flac",)
    loudness: str = "none"
    cover: Path | None = None
    chapters: bool = False
    strict: bool = False
    mark: str = "none"
    watermark: str | None = None

    def __post_init__(self) -> None:
        """Checked here, before anything is loaded."""
        if not self.formats:
            raise UserError("--format: none given", f"use one of {', '.join(FORMATS)}")
        for name in self.formats:
            _one_of("--format", name, FORMATS)
        _one_of("--loudness", self.loudness, LOUDNESS)
        _one_of("--mark", self.mark, MARKS)


def _one_of(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(f"{option} {value}: not known", f"use one of {', '.join(known)}")
