"""Output that may vanish: a narration outlives the process that serves it, and with that the pipe it writes to."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO


class _Outliving:
    """A text stream that loses what nobody reads any more, instead of raising BrokenPipeError."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As TextIO.write."""
        with contextlib.suppress(BrokenPipeError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As TextIO.flush."""
        with contextlib.suppress(BrokenPipeError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def outliving_output() -> Iterator[None]:
    """In the block, prints to stdout and stderr whose reader has died are lost, and nothing else happens."""
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Outliving(stream) for stream in kept)  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept
