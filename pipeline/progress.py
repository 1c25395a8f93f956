"""How far a long job is: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

QUIET_SECONDS = 10.0  # between two lines when the output is no terminal


class Meter:
    """Counts `total` things; call `advance` after each. Writes to stderr; stdout is for results."""

    def __init__(self, label: str, unit: str, total: int) -> None:
        self.label, self.unit, self.total = label, unit, total
        self.done = 0
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        self._started = self._last = time.monotonic()
        if self.total and sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task(self.label, total=self.total)
            self._bar.start()
        return self

    def advance(self) -> None:
        """One more is done."""
        self.done += 1
        if self._bar is not None:
            self._bar.advance(self._task)
            return
        now = time.monotonic()
        if now - self._last >= QUIET_SECONDS or self.done == self.total:
            self._last = now
            left = (now - self._started) / self.done * (self.total - self.done)
            print(
                f"{self.label}: {self.done}/{self.total} {self.unit}, {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
