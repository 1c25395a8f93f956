"""Run a flow in this process and get its report back, whatever way it ends."""

from __future__ import annotations

from typing import Any, TypeVar

from prefect import Flow
from prefect.exceptions import TerminationSignal

R = TypeVar("R")


def report_of(flow: Flow[..., Any], parameters: dict[str, Any], kind: type[R]) -> R:
    """Run `flow` and return the report of class `kind` attached to its last state.

    What stopped the flow early (a UserError, an interrupt) is raised here; SIGTERM becomes SystemExit.
    """
    try:
        state: Any = flow(**parameters, return_state=True)
        outcome = state.result(raise_on_failure=False)
    except TerminationSignal as error:
        raise SystemExit(128 + error.signal) from None
    if isinstance(outcome, kind):
        return outcome
    if isinstance(outcome, TerminationSignal):
        raise SystemExit(128 + int(outcome.signal)) from None
    if isinstance(outcome, BaseException):
        raise outcome
    raise RuntimeError(f"the run ended {state.name}: {state.message}")
