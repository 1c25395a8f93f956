"""What earlier runs left: files that this one did not ask for, where their sidecar proves that they are ours, and what
killed ones were writing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.narration.options import FORMATS
from voice.files import sha256_file
from voice.label import sidecar
from voice.mastering.tags import AIGC

_CHAPTER = re.compile(rf"\d{{3}}-[^/]+\.({'|'.join(FORMATS)})")
_CAPTIONS = (".srt", ".vtt")
_RANDOM = "[a-z0-9_]{8}"  # behind the names of files that are being written, by tempfile
_KINDS = rf"({'|'.join(FORMATS)}|srt|vtt)(\.json)?"


def drop_parts(stem: Path) -> None:
    """Remove what killed runs were writing for the book `stem`; to be called while no other run writes there."""
    for folder, name in (
        (stem.parent, rf"\.({re.escape(stem.name)}\.{_KINDS}|manifest\.jsonl|review\.html)\.{_RANDOM}"),
        (stem.parent / "chapters", rf"\.\d{{3}}-[^/]+\.{_KINDS}\.{_RANDOM}"),
        (stem.parent / "lines", r"\.\d{4,}-[0-9a-f]{8}\.flac\.part"),
    ):
        for path in folder.glob(".*"):
            if re.fullmatch(name, path.name):
                path.unlink()


def drop_leftovers(stem: Path, made: Iterable[Path]) -> None:
    """Remove stem.FORMAT and chapters/NNN-TITLE.FORMAT with what belongs to them, but for the files `made` now.

    What somebody else put there, or changed since it was made, is left alone.
    """
    kept = set(made)
    for form in FORMATS:
        path = stem.with_name(f"{stem.name}.{form}")
        if path not in kept and is_ours(path):
            _drop(path)
    folder = stem.parent / "chapters"
    if not folder.is_dir():
        return
    named = {path.with_name(path.name.removesuffix(".json")) for path in folder.iterdir()}
    for path in sorted(named):
        if not _CHAPTER.fullmatch(path.name) or path in kept or not is_ours(path):
            continue
        for suffix in _CAPTIONS:
            if (captions := path.with_suffix(suffix)) not in kept:
                captions.unlink(missing_ok=True)
        _drop(path)
    if not any(folder.iterdir()):
        folder.rmdir()


def is_ours(path: Path) -> bool:
    """Whether the sidecar of the sound `path` has our label and its sha256; also when only the sidecar is left."""
    beside = sidecar(path)
    if path.is_symlink() or beside.is_symlink():
        return False
    try:
        facts: Any = json.loads(beside.read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or not {"label", AIGC, "text_sha256", "sha256"} <= set(facts):
            return False
        return not path.exists() or (path.is_file() and sha256_file(path) == facts["sha256"])
    except (OSError, ValueError):
        return False


def _drop(path: Path) -> None:
    """The sidecar last: a killed run leaves nothing that cannot be told to be ours."""
    path.unlink(missing_ok=True)
    sidecar(path).unlink(missing_ok=True)
