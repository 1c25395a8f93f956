"""A stream of samples as overlapping windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]


class Windows:
    """Gives blocks of any length back as windows of `size` samples every `hop` <= `size`; what is left over waits."""

    def __init__(self, size: int, hop: int) -> None:
        self.size, self.hop = size, hop
        self._rest = np.zeros(0, dtype=np.float32)

    def add(self, block: Wave) -> Wave:
        """The windows [k, size] that `block` [N] completes; a view, not to be written to."""
        data = np.concatenate([self._rest, block])
        count = max(0, (len(data) - self.size) // self.hop + 1)
        self._rest = data[count * self.hop :]
        if count == 0:
            return np.zeros((0, self.size), dtype=np.float32)
        return np.lib.stride_tricks.sliding_window_view(data, self.size)[:: self.hop][:count]
