"""DIR/manifest.jsonl: a row a line, with its key, its place and the sha256 of its sound."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from voice.errors import UserError
from voice.files import sha256_file

NAME = "manifest.jsonl"


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """The rows of a narration's manifest, [] when there is none. Raises UserError when it is damaged."""
    return list(rows_of(folder))


def rows_of(folder: Path) -> Iterator[dict[str, Any]]:
    """`read_manifest` row by row."""
    path = folder / NAME
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, start=1):
            try:
                row = json.loads(text)
                if not isinstance(row["key"], str):
                    raise TypeError("key is no text")
            except (ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{path}, line {number}: not a manifest row", "delete the file and narrate again"
                ) from error
            yield row


def write_manifest(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as they come, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{NAME}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
        os.chmod(name, 0o644)
        os.replace(name, folder / NAME)
    finally:
        Path(name).unlink(missing_ok=True)


def place_file(source: Path, target: Path, digest: str) -> None:
    """Copy a line into the output unless it is there already."""
    if target.is_file() and sha256_file(target) == digest:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
