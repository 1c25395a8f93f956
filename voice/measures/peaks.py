"""Sample peak and true peak of a stream, and its clipped runs."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
TAPS = _PHASES.shape[1]
_BACKWARDS = np.ascontiguousarray(_PHASES[:, ::-1].T)  # [taps, phases], for products with windows
# No value between samples is larger than this times the samples that it comes from.
_MOST = float(np.abs(_PHASES).sum(axis=1).max()) * 1.001
_PART = 128  # samples looked at together


def between_samples(data: NDArray[np.float32], above: float) -> NDArray[np.float32]:
    """Magnitudes of the oversampled signal: [N - TAPS + 1], the largest phase of `data[i : i + TAPS]` at each i.

    0 stands for a value that cannot be larger than `above`: few parts of speech come near a peak, and only those
    are computed. `data` is float32 [N], N at least TAPS.
    """
    count = len(data) - TAPS + 1
    parts = -(-count // _PART)
    padded = np.zeros((parts + 1) * _PART, np.float32)
    padded[: len(data)] = data
    loudest = np.abs(padded).reshape(-1, _PART).max(axis=1)
    near = np.flatnonzero(np.maximum(loudest[:-1], loudest[1:]) * _MOST > above)
    found = np.zeros((parts, _PART), np.float32)
    if len(near):
        spans = sliding_window_view(padded, _PART + TAPS - 1)[near * _PART]
        found[near] = np.abs(sliding_window_view(spans, TAPS, axis=1) @ _BACKWARDS).max(axis=2)
    return found.reshape(-1)[:count]


class TruePeak:
    """Add blocks of float32 [N]; `peak_db()` is the largest sample, `true_peak_db()` that of 4x oversampled audio."""

    def __init__(self) -> None:
        self._sample = 0.0
        self._true = 0.0
        self._before = np.zeros(TAPS - 1, dtype=np.float32)

    def add(self, block: NDArray[np.float32]) -> None:
        """Take `block` into account."""
        self._sample = max(self._sample, float(np.abs(block).max(initial=0.0)))
        data = np.concatenate([self._before, block])
        self._before = data[-(TAPS - 1) :]
        if len(data) >= TAPS:
            largest = max(self._true, self._sample)
            self._true = max(self._true, float(between_samples(data, largest).max()))

    def peak_db(self) -> float:
        """Largest sample, dBFS."""
        return decibels(self._sample**2)

    def true_peak_db(self) -> float:
        """Largest value between or on samples, dBTP. The last half of the filter runs out in silence."""
        self.add(np.zeros(TAPS - 1, dtype=np.float32))
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
