"""Claims: a script is taken out of the inbox by one atomic rename, and held by a lock that dies with its process.

    inbox/working/<id>.lock     locked (flock) while the process lives that narrates this script
    inbox/working/<id>/<name>   the script

Whoever finds the lock free takes the claim over, so a killed run loses nothing and no script is taken twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

WORKING = "working"
DEATHS = 20  # takeovers after which a script is given up, so that one that ends its process cannot block the others


class Claim:
    """One script that this process, and no other, works on."""

    def __init__(self, working: Path, name: str, handle: FileIO) -> None:
        self.id, self.folder, self._handle = name, working / name, handle
        self._lock = working / f"{name}.lock"
        self.deaths = len(handle.read())  # one letter for every process that took it over and has not come back

    @property
    def script(self) -> Path | None:
        """The claimed file; None when it has been moved on, or the claimant died before it was moved in."""
        try:
            names = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return None
        return self.folder / names[0] if names else None

    def begin(self) -> bool:
        """Note that work begins. False when too many processes have died at this script."""
        self._handle.write(b"x")
        return self.deaths < DEATHS

    def end(self) -> None:
        """Nothing is left to do: remove the claim."""
        with contextlib.suppress(FileNotFoundError):
            self.folder.rmdir()
        self._lock.unlink(missing_ok=True)  # while it is locked, so nobody else removes a later one of this name
        self._handle.close()

    def release(self) -> None:
        """Leave the script for whoever comes next, alive: no death is counted."""
        if not self._handle.closed:
            with contextlib.suppress(OSError):
                self._handle.truncate(0)
            self._handle.close()


def take(inbox: Path, name: str) -> Claim | None:
    """Claim inbox/<name>; None when another process was quicker. Raises OSError (a full disk, say), taking nothing."""
    working = inbox / WORKING
    working.mkdir(exist_ok=True)
    claim = None
    while claim is None:
        path = working / f"{uuid.uuid4().hex[:12]}.lock"
        path.open("x").close()
        claim = _lock(path)  # None when somebody looking for abandoned claims took it for one
    try:
        claim.folder.mkdir()
        (inbox / name).rename(claim.folder / name)
    except FileNotFoundError:
        claim.end()
        return None
    except OSError:
        claim.end()
        raise
    return claim


def abandoned(inbox: Path) -> Iterator[Claim]:
    """Claims whose process is dead, now ours, the oldest first. The rest of a claim without a script is removed."""

    def age(path: Path) -> float:
        with contextlib.suppress(FileNotFoundError):
            return path.stat().st_mtime
        return 0.0

    for path in sorted((inbox / WORKING).glob("*.lock"), key=age):
        if (claim := _lock(path)) is not None:
            yield claim


def _lock(path: Path) -> Claim | None:
    """The claim of a lock file, None when a living process holds it or it has gone meanwhile."""
    try:
        handle = FileIO(path, "r+")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.path.samestat(path.stat(), os.fstat(handle.fileno()))
    except (BlockingIOError, FileNotFoundError):
        same = False
    if not same:  # locked by another, or unlinked between our open and our lock
        handle.close()
        return None
    return Claim(path.parent, path.stem, handle)
