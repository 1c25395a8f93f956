"""Tombstones: consent/revoked.jsonl at the project's root, one line for each revocation, never removed by a program.

Whoever asks must be able to read all of it: a damaged file refuses everything.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from voice.consent.seen import remembered
from voice.errors import UserError

FILE = Path("consent/revoked.jsonl")
LOCK = Path(".cache/consent.lock")
_HINT = "nothing speaks or trains until it is whole; restore it: git checkout -- consent/revoked.jsonl"


@dataclass(frozen=True)
class Tombstone:
    """One revocation.

    - id: of the consent; voices: those that used any of its recordings; date: the day, as 2026-01-31
    - recordings, weights: sha256 of what it covers, and of the files with which those voices spoke
    - files: paths that were derived, from the project's root
    """

    id: str
    voices: tuple[str, ...]
    date: str
    reason: str
    recordings: tuple[str, ...]
    weights: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def told(self) -> str:
        """As a refusal says it."""
        return f"revoked on {self.date}" + (f" because {self.reason}" if self.reason else "")


def read_revoked(root: Path) -> tuple[Tombstone, ...]:
    """All tombstones of the project at `root`, the oldest first. Raises UserError for a damaged file."""
    path = root / FILE
    try:
        return remembered(path, _read)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}", _HINT) from error


def _read(path: Path) -> tuple[Tombstone, ...]:
    from voice.consent.contracts import Revoked
    from voice.tables import read_table, rows_of

    try:
        rows = rows_of(read_table(path, Revoked))
    except UserError as error:
        raise UserError(f"{error.message}", _HINT) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8", _HINT) from error
    if not rows:
        raise UserError(f"{path}: holds no tombstone", _HINT)
    return tuple(_tombstone(row) for row in rows)


def _tombstone(row: dict[str, object]) -> Tombstone:
    return Tombstone(**{name: tuple(value) if isinstance(value, list) else value for name, value in row.items()})  # type: ignore[arg-type]


@contextlib.contextmanager
def writing(root: Path) -> Iterator[None]:
    """Only one process at a time adds tombstones; another waits."""
    (root / LOCK).parent.mkdir(parents=True, exist_ok=True)
    with (root / LOCK).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def add_tombstone(root: Path, stone: Tombstone) -> Tombstone:
    """Add a line, whole or not at all; within `writing`. Returns it, or the first of this id when all is said already.

    Raises UserError when the file there is damaged: nothing is written over it.
    """
    from voice.consent.contracts import Revoked
    from voice.tables import write_table

    before = read_revoked(root)
    older = [each for each in before if each.id == stone.id]
    new = [
        set(getattr(stone, name)) - {value for each in older for value in getattr(each, name)}
        for name in ("voices", "recordings", "weights", "files")
    ]
    if older and not any(new):
        return older[0]
    write_table(root / FILE, [_row(each) for each in (*before, stone)], Revoked)
    return stone


def _row(stone: Tombstone) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(stone).items()}


def blocks(
    stones: Iterable[Tombstone], *, consent: str | None = None, hashes: Iterable[str] = (), voice: str | None = None
) -> Tombstone | None:
    """The first tombstone of this consent id, with any of these sha256 (recordings or weights), or of this voice."""
    asked = set(hashes)
    for stone in stones:
        if stone.id == consent or asked & {*stone.recordings, *stone.weights} or voice in stone.voices:
            return stone
    return None
