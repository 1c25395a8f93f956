"""Facts about a file that are worked out again only when it has changed: the gate is asked for every line spoken."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from voice.files import sha256_file

T = TypeVar("T")
_seen: dict[tuple[str, str], tuple[tuple[int, ...], object]] = {}


def remembered(path: Path, make: Callable[[Path], T]) -> T:
    """`make(path)`, or what it gave before for a file of this size, inode and times.

    The time of the inode's last change is among them, which nobody can set back. What `make` raises is not kept.
    """
    key = (os.path.abspath(path), f"{make.__module__}.{make.__qualname__}")
    stat = path.stat()
    state = (stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns)
    known = _seen.get(key)
    if known is None or known[0] != state:
        known = _seen[key] = (state, make(path))
    return known[1]  # type: ignore[return-value]


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read again only when it has changed."""
    return remembered(path, sha256_file)
