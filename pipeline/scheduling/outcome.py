"""How one narration ended: well, by the script's fault, or by the machine's."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

from httpx import HTTPError

from pipeline.ledger import LedgerError
from pipeline.scheduling.inbox import MachineError
from voice.errors import UserError

# Of the machine, so that the same script may succeed later; others (a name that is too long) are of the script.
PASSING = {
    getattr(errno, name) for name in "ENOSPC EDQUOT EPIPE EIO EROFS EMFILE ENFILE ENOMEM ESTALE ETIMEDOUT".split()
}


class BusyError(MachineError):
    """Another narration is writing into the same folder."""


def report_or_raise(outcome: Any, ended: str) -> dict[str, Any]:
    """The report (with `ok` and `errors`) that a narration ended with, as plain values; `ended` is its state's name.

    Raises UserError when the script is to blame or a line failed, MachineError when it may go well another time,
    its BusyError when another narration must end first; an interrupt is raised as it is.
    """
    if isinstance(outcome, Exception) and any(isinstance(each, BlockingIOError) for each in _chain(outcome)):
        raise BusyError(str(outcome))
    if isinstance(outcome, UserError) and not _by_machine(outcome):
        raise outcome
    if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
        raise outcome
    if isinstance(outcome, Exception):
        reason = str(outcome) if isinstance(outcome, (UserError, OSError)) else f"{type(outcome).__name__}: {outcome}"
        raise MachineError(reason) if _by_machine(outcome) else UserError(reason)
    if not hasattr(outcome, "ok"):
        raise MachineError(f"the run ended {ended}")
    if not outcome.ok:
        errors = [str(each) for name in ("errors", "doubtful") for each in getattr(outcome, name, [])]
        more = f", and {len(errors) - 3} more" if len(errors) > 3 else ""
        raise UserError("; ".join(errors[:3]) + more or "not all lines could be said")
    report: dict[str, Any] = outcome.to_dict()
    return report


def _by_machine(error: BaseException) -> bool:
    """HTTPError is what Prefect's client raises when its server has died: no script has to do with HTTP.

    Nor has one with a ledger that takes no more lines.
    """
    return any(
        isinstance(each, (MemoryError, HTTPError, LedgerError)) or (isinstance(each, OSError) and each.errno in PASSING)
        for each in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
