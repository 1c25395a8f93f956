"""A narration whose networks were read before its flow began, which takes plain values alone as parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from pipeline.narration.job import Narration

_job: ContextVar[Narration | None] = ContextVar("job", default=None)


@contextlib.contextmanager
def handed(job: Narration | None) -> Iterator[None]:
    """Within the block the flow that is run by this thread finds `job`."""
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)


def found() -> Narration | None:
    """The narration that was handed over, if any."""
    return _job.get()
