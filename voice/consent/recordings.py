"""The recordings of a voice's folder: every sound file in it but those in `evidence/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voice.errors import UserError
from voice.recording.containers import SUFFIXES

READABLE = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
EVIDENCE = "evidence"  # a spoken consent is sound too, and no recording to train on
_UNREADABLE = frozenset({".amr", ".ape", ".ra", ".avi", ".3gp"})


def find_recordings(folder: Path) -> list[Path]:
    """Audio files of a voice's folder and its subfolders but `evidence/`, by name (numbers in numeric order).

    Raises UserError when there is none, or one in a format that cannot be read here.
    """
    if not folder.is_dir():
        raise UserError(
            f"{folder}: no such folder",
            "put recording, transcript.txt and consent.yaml there",
        )
    files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    files = [p for p in files if p.relative_to(folder).parts[0] != EVIDENCE]
    for path in files:
        if path.suffix.lower() in _UNREADABLE:
            raise UserError(f"{path}: {path.suffix} cannot be read", "convert it to wav or flac")
    audio = [p for p in files if p.suffix.lower() in READABLE]
    if not audio:
        raise UserError(
            f"{folder}: holds no recording",
            f"put one there ({', '.join(sorted(READABLE))})",
        )
    return sorted(audio, key=lambda p: _natural(p.relative_to(folder).as_posix()))


def _natural(name: str) -> tuple[Any, ...]:
    parts: list[tuple[int, Any]] = []
    word = ""
    for char in name + "\0":
        if word and char.isdigit() != word[-1].isdigit():
            parts.append((0, int(word)) if word.isdigit() else (1, word))
            word = ""
        word += char
    return (*parts, (1, name))
