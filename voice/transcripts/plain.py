"""Plain text: its lines, and how written text is brought into shape."""

from __future__ import annotations

import re
from pathlib import Path

from voice.errors import UserError
from voice.transcripts.model import LANGUAGES

_CUE = re.compile(r"\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{3}")
_BLANKS = re.compile(r"\s+")


def plain_lines(text: str) -> list[tuple[int, str]]:
    """(line number, text) of every line that is not blank, in shape."""
    found = ((number, tidy(line)) for number, line in enumerate(text.splitlines(), start=1))
    return [(number, line) for number, line in found if line]


def tidy(text: str) -> str:
    """One line without blanks around it; lower case when it was all in capitals."""
    line = _BLANKS.sub(" ", text.replace("\ufeff", "")).strip()  # a mark in the middle: two files joined
    return line.lower() if _shouted(line) else line


def has_words(text: str) -> bool:
    """Whether there is a letter or digit to speak."""
    return any(c.isalnum() for c in text)


def _shouted(line: str) -> bool:
    """Four words or more without one small letter: a style of transcript, not four abbreviations."""
    return line.isupper() and len(line.split()) >= 4


def refuse_other_format(text: str, path: Path) -> None:
    """Raise UserError when the text of a .txt can only be subtitles or a list: these would be read aloud as words.

    What marks them is never spoken: a whole line that is a pair of times with an arrow; or on every line three bars
    with a known language between the second and third.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if any(_CUE.match(line) for line in lines):
        suffix = ".vtt" if lines[0].startswith("WEBVTT") else ".srt"
        raise _misnamed(path, "subtitles", suffix)
    parts = [line.split("|", 3) for line in lines]
    if parts and all(len(p) == 4 and p[2].strip().casefold() in LANGUAGES for p in parts):
        raise _misnamed(path, "a list path|speaker|lang|text", ".list")


def _misnamed(path: Path, kind: str, suffix: str) -> UserError:
    right = path.with_suffix(suffix).name
    return UserError(f"{path}: holds {kind}, not plain text", f"rename it to {right} and leave {path.name} empty")
