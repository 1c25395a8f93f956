"""Prefect's own process that starts deployments at their times, but with a quiet end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from typing import Any

from prefect.runner import Runner


class _Served(Runner):
    """A Runner that ends on SIGTERM as it does on an interrupt.

    Prefect's handler calls a coroutine without awaiting it, of which Python warns on the terminal, and leaves the rest
    to chance. The run that is going on is ended, not cancelled, so that the next server starts it again.
    """

    _main: asyncio.Task[Any] | None = None

    async def start(self, *arguments: Any, **options: Any) -> None:
        """As Runner.start, until SIGTERM."""
        self._main = asyncio.current_task()
        await super().start(*arguments, **options)

    def handle_sigterm(self, *_: Any) -> None:
        """Cancel `start`, from whatever the event loop is doing."""
        if self._main is not None:
            self._main.get_loop().call_soon_threadsafe(self._main.cancel)


def serve(deployments: Sequence[Any]) -> None:
    """Start deployments at their times, in processes of their own, until SIGINT or SIGTERM.

    One process at a time. No `concurrency_limit` of the deployment beside it: what a start waits for is the machine's
    slot (pipeline.scheduling.slot), which is free at once when its holder is killed.
    """
    runner = _Served(limit=1)
    for deployment in deployments:
        runner.add_deployment(deployment)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(runner.start())
    finally:
        signal.signal(signal.SIGTERM, before)
