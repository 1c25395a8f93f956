"""md5 and sha256 of files. A file is read again unless nothing about it moved since it was read last.

Size and time of change are what DVC goes by, and anybody can set them back. Here the inode and the time of the last
change of the inode (ctime) count too, which no program can set; `fresh` reads every byte all the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voice.files import write_text

STORE = ".cache/audit/hashes.json"
SETTLED = 2.0  # s; a file that changed just now could change again within one tick of the clock
Stamp = list[int]


class Hashes:
    """Hashes of the files below `root`; `list_files` gives the files of a folder that DVC does not ignore."""

    def __init__(self, root: Path, list_files: Callable[[str], list[str]], fresh: bool = False) -> None:
        self.root, self._list_files, self._fresh = root, list_files, fresh
        self._known: dict[str, Any] = {}
        self._seen: dict[str, str | None] = {}
        self._folders: dict[str, dict[str, str]] = {}
        self.read = self.unchanged = 0
        if not fresh:
            self._load()

    def md5(self, path: str | Path) -> str | None:
        """Hex md5 of a file, None when there is none. `path` is relative to the root, or absolute."""
        return self._hash("md5", os.path.join(self.root, path))

    def sha256(self, path: str | Path) -> str | None:
        """Hex sha256 of a file, None when there is none."""
        return self._hash("sha256", os.path.join(self.root, path))

    def members(self, folder: str) -> dict[str, str]:
        """Path inside `folder` -> md5 of every file in it."""
        if folder not in self._folders:
            top = os.path.join(self.root, folder)
            cut = len(top) + 1
            found = {name[cut:]: self.md5(name) for name in self._list_files(top)}
            self._folders[folder] = {name: md5 for name, md5 in found.items() if md5 is not None}
        return self._folders[folder]

    def digest(self, path: str) -> str | None:
        """The hash as DVC writes it: md5 of a file, md5 of its listing and ".dir" for a folder, None when missing."""
        full = os.path.join(self.root, path)
        if os.path.isdir(full):
            return f"{folder_md5(self.members(path))}.dir"
        return self.md5(full)

    def save(self) -> None:
        """Keep what was read for the next time, where the project can be written to."""
        if self._fresh or not self.read:
            return
        with contextlib.suppress(OSError):  # a read-only project is audited just the same, only slower
            write_text(self.root / STORE, json.dumps(self._known))

    def _hash(self, kind: str, full: str) -> str | None:
        key = f"{kind} {full}"
        if key in self._seen:
            return self._seen[key]
        self._seen[key] = found = self._find(kind, full, key)
        return found

    def _find(self, kind: str, full: str, key: str) -> str | None:
        try:
            stamp = _stamp(full)
            known = self._known.get(key)
            if isinstance(known, list) and len(known) == 2 and known[0] == stamp and isinstance(known[1], str):
                self.unchanged += 1
                return known[1]
            with open(full, "rb") as file:
                found = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        self.read += 1
        if time.time() - stamp[3] / 1e9 > SETTLED:
            self._known[key] = [stamp, found]
        else:
            self._known.pop(key, None)
        return found

    def _load(self) -> None:
        try:
            stored = json.loads((self.root / STORE).read_text(encoding="utf-8"))
            self._known = stored if isinstance(stored, dict) else {}
        except (OSError, ValueError):
            self._known = {}  # a cache: without it everything is read


def folder_md5(members: dict[str, str]) -> str:
    """md5 of a folder's listing as DVC stores it."""
    listing = json.dumps([{"md5": md5, "relpath": name} for name, md5 in sorted(members.items())], sort_keys=True)
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()


def _stamp(path: str) -> Stamp:
    found = os.stat(path)
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
