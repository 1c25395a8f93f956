"""Chapters of a book: titles and times, checked, in the forms that the containers want."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from voice.mastering.words import one_line

_MS = Fraction(1, 1000)


@dataclass(frozen=True)
class Chapter:
    """`start` and `end` in seconds."""

    title: str
    start: float
    end: float


def checked(chapters: Sequence[Chapter]) -> list[Chapter]:
    """The chapters with clean titles, "Chapter N" for an empty one. Raises ValueError for times that go back."""
    clean: list[Chapter] = []
    end = 0.0
    for number, chapter in enumerate(chapters, start=1):
        if not end <= chapter.start < chapter.end:
            raise ValueError(f"chapter {number}: {chapter.start} to {chapter.end} s, the one before ends at {end} s")
        end = chapter.end
        clean.append(Chapter(one_line(chapter.title) or f"Chapter {number}", chapter.start, end))
    return clean


def for_container(chapters: Sequence[Chapter]) -> list[dict[str, Any]]:
    """As PyAV's `set_chapters` takes them, in milliseconds."""
    return [
        {
            "id": number,
            "start": round(chapter.start * 1000),
            "end": round(chapter.end * 1000),
            "time_base": _MS,
            "metadata": {"title": chapter.title},
        }
        for number, chapter in enumerate(chapters)
    ]


def as_comments(chapters: Sequence[Chapter]) -> dict[str, str]:
    """As Vorbis comments, CHAPTER001=00:00:00.000 and CHAPTER001NAME, for flac and opus.

    FFmpeg itself writes none into flac, and into Ogg it rounds the seconds before it adds the milliseconds.
    """
    comments: dict[str, str] = {}
    for number, chapter in enumerate(chapters, start=1):
        comments[f"CHAPTER{number:03d}"] = clock(chapter.start)
        comments[f"CHAPTER{number:03d}NAME"] = chapter.title
    return comments


def clock(seconds: float, mark: str = ".") -> str:
    """Hours:minutes:seconds with milliseconds, `mark` before them, for instance 00:01:02.500."""
    return clock_ms(round(seconds * 1000), mark)


def clock_ms(ms: int, mark: str = ".") -> str:
    """`clock` of whole milliseconds."""
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{mark}{ms % 1000:03d}"
