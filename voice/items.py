"""Per-item cache inside a stage: one changed clip costs one computation, and a crash keeps what was done.

Safe to delete at any time: it is never an output, and dvc.lock stays the truth.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from voice.files import write_bytes


class ItemCache:
    """Bytes under `root/<stage>/<key>`, where a key is the content of everything the item was made from."""

    def __init__(self, root: Path, stage: str, version: str) -> None:
        self.folder = root / stage
        self.version = version
        self.hits = 0
        self.misses = 0

    def key(self, *parts: bytes | str | float | None) -> str:
        """sha256 over the stage, its version and `parts`; each part is tagged with its type and length."""
        digest = hashlib.sha256(json.dumps([self.folder.name, self.version]).encode())
        for part in parts:
            data = part if isinstance(part, bytes) else repr(part).encode()
            digest.update(f"{type(part).__name__}:{len(data)}:".encode() + data)
        return digest.hexdigest()

    def get(self, key: str, compute: Callable[[], bytes]) -> bytes:
        """The stored bytes of `key`, or those of `compute()`, which are then stored."""
        path = self.folder / key
        if path.is_file():
            self.hits += 1
            return path.read_bytes()
        self.misses += 1
        data = compute()
        write_bytes(path, data)
        return data
