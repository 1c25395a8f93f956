"""A stream kept in a file without a name, so that what was costly to make is made once and read many times."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.mastering.blocks import BLOCK, as_int16

_BYTES = 2 * BLOCK


class Held:
    """Samples as int16 in a file of `folder` that has no name: it goes with the process, however that ends.

    Any number of readers may read it at a time. Raises OSError when the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Held:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def fill(self, blocks: Iterable[NDArray[Any]]) -> Iterator[NDArray[np.int16]]:
        """Give `blocks` of int16 or float32 [N] on as int16, and keep them in place of what was held before."""
        self._file.seek(0)
        self._file.truncate()
        for block in map(as_int16, blocks):
            self._file.write(block.tobytes())
            yield block
        self._file.flush()

    def blocks(self) -> Iterator[NDArray[np.int16]]:
        """What is held."""
        position = 0
        while data := os.pread(self._file.fileno(), _BYTES, position):
            position += len(data)
            yield np.frombuffer(data, np.int16)
