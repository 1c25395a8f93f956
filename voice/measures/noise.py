"""Signal-to-noise ratio of a stream; see `voice.levels.snr_of_frames` for what is estimated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.levels import frame_power, snr_of_frames
from voice.measures.windows import Windows


class Snr:
    """Add blocks of float32 [N] at `rate` Hz, then ask for `snr_db()`."""

    def __init__(self, rate: int) -> None:
        self._frame = max(1, rate // 50)
        self._windows = Windows(self._frame, self._frame)
        self._power: list[NDArray[np.float64]] = []

    def add(self, block: NDArray[np.float32]) -> None:
        """Take `block` into account."""
        self._power.append(frame_power(self._windows.add(block).ravel(), self._frame))

    def snr_db(self) -> float:
        """Decibels in [0, 100]."""
        return snr_of_frames(np.concatenate(self._power)) if self._power else 0.0
