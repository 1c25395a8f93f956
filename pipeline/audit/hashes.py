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
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from voice.files import write_text

STORE = ".cache/audit/hashes.json"
SETTLED = 2.0  # s; a file that changed just now could change again within one tick of the clock
BUFFER = 1 << 18  # bytes; one for each thread, as a new one for each small file costs a third of its hash
BATCH = 64  # files; what a thread takes at once, and the fewest that are worth a second thread
THREADS = 4  # at most; they meet at the interpreter's lock between files
Stamp = list[int]
Want = tuple[str, str, Stamp]  # its key, the full path, its stamp


class Hashes:
    """Hashes of the files below `root`; `list_files` gives the files of a folder that DVC does not ignore."""

    def __init__(self, root: Path, list_files: Callable[[str], list[str]], fresh: bool = False) -> None:
        self.root, self._list_files, self._fresh = root, list_files, fresh
        self._top = str(root)
        self._known: dict[str, Any] = {}
        self._seen: dict[str, str | None] = {}
        self._folders: dict[str, dict[str, str]] = {}
        self.read = self.unchanged = 0
        if not fresh:
            self._load()

    def md5(self, path: str | Path) -> str | None:
        """Hex md5 of a file, None when there is none. `path` is relative to the root, or absolute."""
        return self._hash("md5", self._full(path))

    def sha256(self, path: str | Path) -> str | None:
        """Hex sha256 of a file, None when there is none."""
        return self._hash("sha256", self._full(path))

    def read_ahead(self, kind: str, paths: Iterable[str | Path]) -> None:
        """Hash many files on all cores (hashing leaves the interpreter's lock alone); md5 and sha256 know them then."""
        wanted: list[Want] = []
        for path in paths:
            full = self._full(path)
            key = f"{kind} {full}"
            if key not in self._seen and (stamp := self._changed(key, full)) is not None:
                wanted.append((key, full, stamp))
        batches = [wanted[first : first + BATCH] for first in range(0, len(wanted), BATCH)]
        with ThreadPoolExecutor(min(THREADS, len(os.sched_getaffinity(0)))) as pool:
            found = pool.map(_read_all, batches) if len(batches) > 1 else map(_read_all, batches)
            for batch, digests in zip(batches, found, strict=True):
                for want, digest in zip(batch, digests, strict=True):
                    self._keep(want, digest)

    def members(self, folder: str) -> dict[str, str]:
        """Path inside `folder` -> md5 of every file in it."""
        if folder not in self._folders:
            top = self._full(folder)
            cut = len(top) + 1
            names = self._list_files(top)
            self.read_ahead("md5", names)
            found = {name[cut:]: self.md5(name) for name in names}
            self._folders[folder] = {name: md5 for name, md5 in found.items() if md5 is not None}
        return self._folders[folder]

    def digest(self, path: str) -> str | None:
        """The hash as DVC writes it: md5 of a file, md5 of its listing and ".dir" for a folder, None when missing."""
        full = self._full(path)
        if os.path.isdir(full):
            return f"{folder_md5(self.members(path))}.dir"
        return self.md5(full)

    def save(self) -> None:
        """Keep what was read for the next time, where the project can be written to."""
        if self._fresh or not self.read:
            return
        with contextlib.suppress(OSError):  # a read-only project is audited just the same, only slower
            write_text(self.root / STORE, json.dumps(self._known))

    def _full(self, path: str | Path) -> str:
        text = str(path)
        return text if text.startswith("/") else f"{self._top}/{text}"

    def _hash(self, kind: str, full: str) -> str | None:
        key = f"{kind} {full}"
        if key not in self._seen and (stamp := self._changed(key, full)) is not None:
            want = (key, full, stamp)
            self._keep(want, _read_all([want])[0])
        return self._seen[key]

    def _changed(self, key: str, full: str) -> Stamp | None:
        """The stamp of a file that must be read; None when what is known of it holds, or there is none."""
        try:
            stamp = _stamp(full)
        except (FileNotFoundError, NotADirectoryError):
            self._seen[key] = None
            return None
        known = self._known.get(key)
        if isinstance(known, list) and len(known) == 2 and known[0] == stamp and isinstance(known[1], str):
            self.unchanged += 1
            self._seen[key] = known[1]
            return None
        return stamp

    def _keep(self, want: Want, found: str | None) -> None:
        key, _, stamp = want
        self._seen[key] = found
        if found is None:
            return
        self.read += 1
        if time.time() - stamp[3] / 1e9 > SETTLED:
            self._known[key] = [stamp, found]
        else:
            self._known.pop(key, None)

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


def _read_all(wanted: Sequence[Want]) -> list[str | None]:
    """The hash of each, None for one that is gone or a folder."""
    buffer = memoryview(bytearray(BUFFER))
    return [_read(key.partition(" ")[0], full, buffer) for key, full, _ in wanted]


def _read(kind: str, full: str, buffer: memoryview) -> str | None:
    digest = hashlib.new(kind, usedforsecurity=False)
    try:
        with open(full, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    return digest.hexdigest()


def _stamp(path: str) -> Stamp:
    found = os.stat(path)
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
