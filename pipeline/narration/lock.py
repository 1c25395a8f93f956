"""One narration an output folder at a time."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path

from pipeline.narration.store import FOLDER
from voice.errors import UserError


@contextlib.contextmanager
def only_one(root: Path, out: Path) -> Iterator[None]:
    """Refuse to write `out` while another process does; the lock dies with its process."""
    folder = root / FOLDER / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16]
    with (folder / name).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{out}: another narration is writing there", "wait until it has ended") from None
        yield
