"""Which recording a row means; and names for files that every system and every table can hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

_LONGEST = 80


def safe_name(name: str) -> str:
    """A file name of letters (of any script), digits, `_`, `.` and `-`; its suffix in small letters."""
    path = PurePosixPath(unicodedata.normalize("NFC", _slashes(name)))
    suffix = re.sub(r"\W", "", path.suffix).lower()[:_LONGEST]
    plain = re.sub(r"[^\w.-]+", "-", path.stem if suffix else path.name).strip("-._")[:_LONGEST].rstrip("-._")
    return (plain or "recording") + (f".{suffix}" if suffix else "")


class Names:
    """The recordings of a folder, found by the way a row writes them.

    By path in the folder; else by the last part of the path, which the lists of other programs carry with folders of
    another machine before it; else by that part as `safe_name` writes it. Each only when one recording answers.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._paths: dict[str, list[str]] = {}
        self._names: dict[str, list[str]] = {}
        self._safe: dict[str, list[str]] = {}
        for file in files:
            path = unicodedata.normalize("NFC", file)
            name = path.rpartition("/")[2]
            for index, key in ((self._paths, path), (self._names, name), (self._safe, safe_name(name))):
                index.setdefault(key, []).append(file)

    def find(self, written: str) -> str | tuple[str, str]:
        """The recording's path in the folder, or (reason, detail) of a fault."""
        path = unicodedata.normalize("NFC", _slashes(written.strip()))
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            return "path_escape", f"{written!r} leaves the voice's folder"
        if not parts:
            return "unknown_recording", "no file is named"
        for index, key in (
            (self._paths, "/".join(parts)),
            (self._names, parts[-1]),
            (self._safe, safe_name(parts[-1])),
        ):
            found = index.get(key, [])
            if len(found) == 1:
                return found[0]
            if found:
                return "ambiguous_recording", f"{written!r} may be {' or '.join(map(repr, found[:3]))}"
        return "unknown_recording", f"no recording {written!r}"


def _slashes(path: str) -> str:
    return path.replace("\\", "/")
