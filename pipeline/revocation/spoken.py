"""Sound that voices spoke, wherever it lies in the project: by sidecars, manifests and the label inside a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import soundfile

from pipeline.narration.options import FORMATS
from pipeline.narration.store import FOLDER
from voice.label import label_text, read_label

SOUNDS = tuple(f".{form}" for form in FORMATS)
_MANIFEST = "manifest.jsonl"


def find_spoken(root: Path, voices: set[str], skip: set[Path]) -> list[Path]:
    """Files spoken by one of `voices` alone or with others, with their sidecars; folders in `skip` are left out.

    Hidden folders are, too, but for the store of narrated lines.
    """
    found: set[Path] = set()
    for folder, files in _folders(root, skip):
        for name in files:
            beside = folder / f"{name}.json"
            if name.endswith(SOUNDS) and beside.name in files and voices & _voices(_object(beside)):
                found |= {folder / name, beside}
        if _MANIFEST in files:
            found |= set(_lines(folder, voices))
    store = root / FOLDER
    for path in sorted(store.glob("*.flac")) if store.is_dir() else ():
        if _label(path) in {*map(label_text, voices)}:
            found |= {path, path.with_suffix(".json")}
    here = root.resolve()  # a link may lead out of the project
    return sorted(path for path in found if path.is_file() and path.parent.resolve().is_relative_to(here))


def _folders(root: Path, skip: set[Path]) -> Iterator[tuple[Path, set[str]]]:
    for here, below, files in os.walk(root):
        folder = Path(here)
        below[:] = sorted(name for name in below if not name.startswith(".") and folder / name not in skip)
        yield folder, set(files)


def _lines(folder: Path, voices: set[str]) -> Iterator[Path]:
    """The lines that a manifest gives to one of the voices; rows that cannot be read name no file."""
    for line in (folder / _MANIFEST).read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
            name, voice = row["file"], row["voice"]
        except (ValueError, KeyError, TypeError):
            continue
        if voice in voices and isinstance(name, str) and not name.startswith("/") and ".." not in Path(name).parts:
            yield folder / name


def _object(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _voices(facts: dict[str, Any]) -> set[str]:
    listed = facts.get("voices")
    return {str(voice) for voice in listed} if isinstance(listed, list) else {str(facts.get("voice"))}


def _label(path: Path) -> str:
    try:
        return read_label(path)
    except (OSError, soundfile.LibsndfileError):
        return ""
