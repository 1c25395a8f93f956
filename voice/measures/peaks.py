"""Sample peak and true peak of a stream, and its clipped runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.levels import FULL_SCALE, decibels

# ITU-R BS.1770-4, annex 2: the interpolator of four phases; the last two are the first two backwards.
_FIRST = [
    0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875, 0.1373291015625,
    0.97216796875, -0.102294921875, 0.047607421875, -0.026611328125, 0.014892578125, -0.00830078125,
]  # fmt: skip
_SECOND = [
    -0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625, 0.465087890625,
    0.77978515625, -0.2003173828125, 0.1015625, -0.0582275390625, 0.0330810546875, -0.0189208984375,
]  # fmt: skip
_PHASES = np.array([_FIRST, _SECOND, _SECOND[::-1], _FIRST[::-1]], dtype=np.float32)
_TAPS = _PHASES.shape[1]


class TruePeak:
    """Add blocks of float32 [N]; `peak_db()` is the largest sample, `true_peak_db()` that of 4x oversampled audio."""

    def __init__(self) -> None:
        self._sample = 0.0
        self._true = 0.0
        self._before = np.zeros(_TAPS - 1, dtype=np.float32)

    def add(self, block: NDArray[np.float32]) -> None:
        """Take `block` into account."""
        self._sample = max(self._sample, float(np.abs(block).max(initial=0.0)))
        data = np.concatenate([self._before, block])
        self._before = data[-(_TAPS - 1) :]
        if len(data) >= _TAPS:
            for phase in _PHASES:
                found = np.convolve(data, phase, "valid")
                self._true = max(self._true, float(found.max()), -float(found.min()))

    def peak_db(self) -> float:
        """Largest sample, dBFS."""
        return decibels(self._sample**2)

    def true_peak_db(self) -> float:
        """Largest value between or on samples, dBTP. The last half of the filter runs out in silence."""
        self.add(np.zeros(_TAPS - 1, dtype=np.float32))
        return decibels(max(self._true, self._sample) ** 2)


class Clipping:
    """Counts runs of at least `shortest` neighbouring samples of one sign at full scale, across blocks, per channel."""

    def __init__(self, channels: int, shortest: int = 3, full_scale: float = FULL_SCALE) -> None:
        self._shortest, self._full_scale = shortest, full_scale
        self._last = np.zeros((shortest, channels), dtype=np.int8)  # signs of the samples before
        self.runs = np.zeros(channels, dtype=np.int64)

    def add(self, block: NDArray[np.float32]) -> None:
        """Take `block` [N, channels] into account."""
        sign = np.where(block >= self._full_scale, 1, np.where(block <= -self._full_scale, -1, 0)).astype(np.int8)
        data = np.concatenate([self._last, sign])
        self._last = data[-self._shortest :]
        if not sign.any():
            return
        # A run counts where its `shortest`-th sample stands: that many equal signs, and another one before them.
        n = self._shortest
        here = data[n:]
        full = here != 0
        for back in range(1, n):
            full &= data[n - back : -back] == here
        self.runs += (full & (data[:-n] != here)).sum(axis=0)
