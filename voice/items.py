"""Per-item cache inside a stage: one changed clip costs one computation, and a crash keeps what was done.

Safe to delete at any time: it is never an output, and dvc.lock stays the truth. `map_items` fills it with several
processes; each value is stored as soon as it is made.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from voice.files import write_bytes
from voice.workers import Pool, one_blas_thread, writing

T = TypeVar("T")
MAGIC = b"item1\n"
DIGEST = hashlib.sha256().digest_size
LIMIT = 20 << 30  # bytes that the cache of one stage may take
STALE_SECONDS = 86400.0  # a temporary file this old belongs to a process that was killed
AHEAD = 4  # items in work or waiting to be yielded, a worker


class ItemCache:
    """Bytes under `root/<stage>/<key>`, where a key is the content of everything the item was made from.

    `hits` and `misses` count what was asked of this object: taken from the folder, and computed.
    """

    def __init__(self, root: Path, stage: str, version: str) -> None:
        self.folder = root / stage
        self.version = version
        self.hits = 0
        self.misses = 0
        self._used: set[str] = set()

    def key(self, *parts: bytes | str | float | None) -> str:
        """sha256 over the stage, its version and `parts`; each part is tagged with its type and length."""
        digest = hashlib.sha256(json.dumps([self.folder.name, self.version]).encode())
        for part in parts:
            data = part if isinstance(part, bytes) else repr(part).encode()
            digest.update(f"{type(part).__name__}:{len(data)}:".encode() + data)
        return digest.hexdigest()

    def read(self, key: str) -> bytes | None:
        """The stored bytes of `key`; None when there are none or they are not what was written."""
        path = self.folder / key
        try:
            data = path.read_bytes()
            os.utime(path)  # `trim` removes what was used longest ago
        except FileNotFoundError:
            return None
        start = len(MAGIC) + DIGEST
        whole = data.startswith(MAGIC) and hashlib.sha256(data[start:]).digest() == data[len(MAGIC) : start]
        return data[start:] if whole else None

    def store(self, key: str, data: bytes) -> None:
        """Keep `data`, whole or not at all, with its checksum. Two processes may store one key at once."""
        write_bytes(self.folder / key, MAGIC + hashlib.sha256(data).digest() + data)

    def get(self, key: str, compute: Callable[[], bytes]) -> bytes:
        """The stored bytes of `key`, or those of `compute()`, which are then stored."""
        self._used.add(key)
        data = self.read(key)
        if data is not None:
            self.hits += 1
            return data
        with one_blas_thread():  # as in a worker: the number of threads changes the last bits of sums
            data = compute()
        self.store(key, data)
        self.misses += 1
        return data

    def trim(self, limit: int = LIMIT) -> int:
        """Remove what was used longest ago until the stage's folder holds at most `limit` bytes; bytes removed.

        What this object gave out stays, whatever its size. A value that another process loses by this, it computes.
        """
        found, total, removed = [], 0, 0
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            try:
                state = path.stat()
            except FileNotFoundError:  # another process trims as well
                continue
            if path.name.startswith("."):
                if state.st_mtime < time.time() - STALE_SECONDS:
                    path.unlink(missing_ok=True)
                continue
            total += state.st_size
            if path.name not in self._used:
                found.append((state.st_mtime_ns, path.name, state.st_size))
        for _, name, size in sorted(found):
            if total - removed <= limit:
                break
            (self.folder / name).unlink(missing_ok=True)
            removed += size
        return removed

    def _taken(self, key: str) -> bytes | None:
        """What a worker has stored, counted as computed; None when it is gone again."""
        self._used.add(key)
        data = self.read(key)
        self.misses += data is not None
        return data


def map_items(
    cache: ItemCache,
    work: Sequence[tuple[str, T]],
    compute: Callable[[T], bytes],
    *,
    workers: int = 1,
    setup: Callable[[], None] | None = None,
) -> Iterator[bytes]:
    """The value of every (key, item) of `work`, in its order; missing ones are computed and stored at once.

    With `workers` > 1 and more than one value missing, that many processes compute (`voice.workers.Pool`), so
    `compute`, `setup` and the items must be picklable; `setup` runs once in each process that computes, before its
    first item. Values wait on disk, not in memory. Equal keys are computed once. What `compute` raises is raised here;
    what was stored by then stays. Raises UserError when a worker is killed, OSError (ENOSPC) on a full disk.
    """
    first = [setup] if setup else []

    def here(item: T) -> bytes:
        while first:
            first.pop()()
        return compute(item)

    missing = {key for key, _ in work if not (cache.folder / key).is_file()}
    workers = min(workers, len(missing))
    if workers <= 1:
        for key, item in work:
            yield cache.get(key, lambda item=item: here(item))  # type: ignore[misc]
        return
    with Pool(workers, _Store(cache.folder, compute), setup) as pool:
        given, waiting = 0, 0
        done: set[str] = set()
        for position, (key, item) in enumerate(work):
            while given < len(work) and (given <= position or waiting < AHEAD * workers):
                name, value = work[given]
                if name in missing and not pool.has(name):
                    pool.submit(name, value)
                    waiting += 1
                given += 1
            data = None
            if key in missing and key not in done:
                pool.wait(key)
                done.add(key)
                waiting -= 1
                data = cache._taken(key)
            # A value that is damaged, or removed since, is computed in this process.
            yield data if data is not None else cache.get(key, lambda item=item: here(item))  # type: ignore[misc]


class _Store:
    """Computes an item in a worker and stores it: only the fact that it is there goes back to the parent."""

    def __init__(self, folder: Path, compute: Callable[[Any], bytes]) -> None:
        self.folder = folder.resolve()
        self.compute = compute

    def __call__(self, key: str, item: Any) -> None:
        cache = ItemCache(self.folder.parent, self.folder.name, "")
        if cache.read(key) is None:  # another process may have stored it meanwhile
            data = self.compute(item)
            with writing:
                cache.store(key, data)


def pack(files: Mapping[str, bytes]) -> bytes:
    """Named byte strings as one; equal mappings give equal bytes, whatever their order."""
    names = sorted(files)
    head = json.dumps([[name, len(files[name])] for name in names]).encode()
    return b"".join([len(head).to_bytes(8, "little"), head, *(files[name] for name in names)])


def unpack(data: bytes) -> dict[str, bytes]:
    """What `pack` was given, by sorted names. Raises ValueError for bytes that it did not make."""
    start = 8 + int.from_bytes(data[:8], "little")
    files = {}
    for name, size in json.loads(data[8:start]):
        files[name] = data[start : start + size]
        start += size
    if start != len(data):
        raise ValueError(f"packed files: {len(data)} bytes, expected {start}")
    return files
