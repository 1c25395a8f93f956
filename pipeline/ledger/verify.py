"""Is every line of the ledger as it was written, and is all there that Git has? What a crash left is taken away."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.git import open_git
from pipeline.ledger.chain import LEDGER, RESTORE, LedgerError, locked, read_lines
from voice.errors import UserError


@dataclass(frozen=True)
class Verified:
    """`lines` hold, in order; `problem` says what is wrong and `line` where, the first that does not.

    `keys` counts lines by the public key (hex) that signed them; `committed` is what the present commit says of it.
    """

    lines: int
    keys: dict[str, int] = field(default_factory=dict)
    committed: str = ""
    problem: str = ""
    line: int | None = None

    @property
    def ok(self) -> bool:
        """True when every line holds."""
        return not self.problem

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"ok": self.ok, **asdict(self)}


def verify(root: Path) -> Verified:
    """Read every line, and compare with the one that Git has: it may only grow. Raises UserError without a ledger."""
    keys: dict[str, int] = {}
    count = 0
    held = _committed(root)
    if not (root / LEDGER).is_file():
        if held is not None:
            return Verified(0, keys, "", f"{LEDGER}: missing, Git has it ({RESTORE})", 1)
        raise UserError(f"{LEDGER}: there is none", "narrate and say write it")
    try:
        for line in read_lines(root):
            count = line.number
            keys[line.entry.public_key] = keys.get(line.entry.public_key, 0) + 1
    except LedgerError as error:
        return Verified(count, keys, "", str(error), error.line)
    if held is None:
        return Verified(count, keys, "not in the present commit")
    old, new = held.splitlines(), (root / LEDGER).read_bytes().splitlines()
    for number, text in enumerate(old, 1):
        if number > len(new) or new[number - 1] != text:
            how = "missing, Git has it" if number > len(new) else "not the one that Git has"
            return Verified(number - 1, keys, "", f"{LEDGER}: line {number}: {how} ({RESTORE})", number)
    return Verified(count, keys, f"{len(old)} in the present commit")


def _committed(root: Path) -> bytes | None:
    """The ledger in the present commit, None where there is none."""
    git = open_git(root)
    if git is None or git.head() is None:
        return None
    (found,) = git.blobs([("HEAD", LEDGER)])
    return None if found is None else found[1]


def repair(root: Path) -> str:
    """Take away the part of a last line that a crash left; what was done, in words.

    Raises LedgerError when another line is broken: that is no crash, and nothing is touched.
    """
    with locked(root):
        path, count = root / LEDGER, 0
        try:
            for line in read_lines(root):
                count = line.number
        except LedgerError as error:
            data = path.read_bytes()
            start = data.rfind(b"\n") + 1
            if start == len(data) or error.line != count + 1 or data[:start].count(b"\n") != count:
                raise
            os.truncate(path, start)
            cut = len(data) - start
            return f"{LEDGER}: line {error.line}: {cut} bytes without an end taken away, {count} lines kept"
        except OSError as error:
            raise LedgerError(f"{LEDGER}: {error.strerror or error}", "mend it and run again") from error
        return f"{LEDGER}: nothing to repair, {count} lines"
