"""A line added to the ledger, whole or not at all, by one process at a time."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from pipeline.ledger.chain import LEDGER, LedgerError, Line, locked, read_lines
from pipeline.ledger.entry import START, Entry, Run, canonical, same_run, signed_bytes
from pipeline.ledger.key import public_hex, signing_key
from voice.errors import UserError


def append(root: Path, run: Run) -> Entry | None:
    """Sign and add what `run` made; None when the last entry of its place says the same already.

    Raises LedgerError, with nothing added, for a broken ledger, another's key, or a disk that takes no more.
    """
    with locked(root):
        last: Line | None = None
        latest: Entry | None = None
        new = {digest for spoke in run.voices for digest in spoke.lines}
        for last in read_lines(root, signatures=False):  # the chain is enough to know where to go on
            if last.entry.place == run.place:
                latest = last.entry
            new.difference_update(digest for spoke in last.entry.voices for digest in spoke.lines)
        if latest is not None and same_run(latest, run) and not new:
            return None
        voices = [
            spoke.model_copy(update={"lines": [digest for digest in dict.fromkeys(spoke.lines) if digest in new]})
            for spoke in run.voices
        ]
        try:
            entry = _signed(root, run.model_copy(update={"voices": voices}), last)
            _write(root / LEDGER, canonical(entry.model_dump(mode="json")) + b"\n")
        except OSError as error:
            raise LedgerError(f"{LEDGER}: {error.strerror or error}", "mend it and run again") from error
        except UserError as error:
            raise LedgerError(error.message, error.hint) from error
        return entry


def _signed(root: Path, run: Run, last: Line | None) -> Entry:
    key = signing_key(root)
    facts = {name: getattr(run, name) for name in Run.model_fields}
    entry = Entry(
        **facts,
        number=last.number + 1 if last else 1,
        time=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        previous=last.sha256 if last else START,
        public_key=public_hex(key),
        signature="0" * 128,
    )
    return entry.model_copy(update={"signature": key.sign(signed_bytes(entry)).hex()})


def _write(path: Path, line: bytes) -> None:
    """Add bytes at the end and wait until they are on the disk; what was written of them is taken back if that fails.

    A power cut or kill -9 can still leave a part, which every reader tells.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(handle).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except BaseException:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
