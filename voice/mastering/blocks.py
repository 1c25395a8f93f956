"""Streams of samples: float or integer in, blocks of one length out, so that results do not hang on how they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.audio import to_int16

BLOCK = 1 << 16

Wave = NDArray[np.float32]


def as_float(block: NDArray[Any]) -> Wave:
    """int16 or float [N] as float32 in [-1, 1]. Raises ValueError for another type or shape."""
    _check(block)
    return block.astype(np.float32) / np.float32(32768) if block.dtype == np.int16 else block.astype(np.float32)


def as_int16(block: NDArray[Any]) -> NDArray[np.int16]:
    """int16 or float [N] as int16, loud floats held at full scale. Raises ValueError for another type or shape."""
    _check(block)
    return block if block.dtype == np.int16 else to_int16(block)


def even(blocks: Iterable[NDArray[Any]], size: int = BLOCK) -> Iterator[NDArray[Any]]:
    """The same samples in blocks of `size`, the last one shorter."""
    waiting: list[NDArray[Any]] = []
    held = 0
    for block in blocks:
        waiting.append(block)
        held += len(block)
        if held < size:
            continue
        data = np.concatenate(waiting)
        whole = held // size * size
        for start in range(0, whole, size):
            yield data[start : start + size]
        waiting, held = [data[whole:].copy()], held - whole  # a view would keep the large block alive
    if held:
        yield np.concatenate(waiting)


def _check(block: NDArray[Any]) -> None:
    if block.ndim != 1 or block.dtype not in (np.int16, np.float32, np.float64):
        raise ValueError(f"samples of type {block.dtype}, shape {block.shape}; int16 or float32 [N] is needed")
    if block.dtype != np.int16 and not np.isfinite(block).all():
        raise ValueError("samples hold values that are not finite")
