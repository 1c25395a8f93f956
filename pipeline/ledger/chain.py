"""The lines of the ledger, each checked against the one before and against its signature."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pipeline.ledger.entry import START, Entry, canonical
from pipeline.ledger.key import is_signed
from voice.errors import UserError

LEDGER = "ledger/narrations.jsonl"
LOCK = ".cache/ledger.lock"
RESTORE = f"restore it: git checkout -- {LEDGER}"
REPAIR = "a crash leaves this; `reprovoice ledger repair` takes it away"


class LedgerError(UserError):
    """A ledger that cannot be read or written; no fault of a text or a script. `line` is the first broken one."""

    def __init__(self, message: str, hint: str = "", line: int | None = None) -> None:
        super().__init__(message, hint)
        self.line = line


@dataclass(frozen=True)
class Line:
    """One checked line: its number (from 1), its sha256 without newline, its entry."""

    number: int
    sha256: str
    entry: Entry


def read_lines(root: Path, signatures: bool = True) -> Iterator[Line]:
    """The lines of the ledger in order, none where there is no ledger.

    Raises LedgerError at the first line that is cut, is no entry, is not what its successor or itself says of it, or,
    with `signatures`, is not signed by the key it names. A change to the last line is seen by its signature alone.
    """
    before = START
    try:
        file = (root / LEDGER).open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise LedgerError(f"{LEDGER}: {error.strerror or error}", "mend it and run again") from error
    with file:
        for number, raw in enumerate(file, 1):
            line = _checked(number, raw, before, signatures)
            before = line.sha256
            yield line


def _checked(number: int, raw: bytes, before: str, signatures: bool) -> Line:
    if not raw.endswith(b"\n"):
        raise LedgerError(f"{LEDGER}: line {number}: cut short, {len(raw)} bytes without an end", REPAIR, number)
    text = raw[:-1]
    try:
        entry = Entry.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _broken(number, f"no entry: {place + ': ' if place else ''}{first['msg']}") from error
    if canonical(entry.model_dump(mode="json")) != text:
        raise _broken(number, "not written as entries are")
    # The signature first: it says which of two neighbours was changed, the chain only that one of them was.
    if signatures and not is_signed(entry):
        raise _broken(number, "changed after it was signed")
    if entry.number != number:
        raise _broken(number, f"numbered {entry.number}: a line was taken out, put in or moved")
    if entry.previous != before:
        raise _broken(number, "the line before it is not the one it was written after")
    return Line(number, hashlib.sha256(text).hexdigest(), entry)


def _broken(number: int, what: str) -> LedgerError:
    return LedgerError(f"{LEDGER}: line {number}: {what}", RESTORE, number)


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Only one process at a time writes; another waits. The lock dies with its process. Raises LedgerError."""
    try:
        (root / LOCK).parent.mkdir(parents=True, exist_ok=True)
        handle = (root / LOCK).open("w")
    except OSError as error:
        raise LedgerError(f"{LOCK}: {error.strerror or error}", "mend it and run again") from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
