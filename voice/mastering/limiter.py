"""A look-ahead limiter on true peaks: pulls the level down before a peak and lets it up again, never a hard clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from voice.levels import decibels
from voice.mastering.blocks import Wave
from voice.measures.peaks import TAPS, between_samples

_LOOK = 0.006  # seconds on each side of a peak over which the gain moves
_REACH = TAPS // 2  # samples that the interpolator of BS.1770 looks to each side
_MARGIN = 10.0 ** (-0.05 / 20.0)  # a moving gain shifts peaks between samples a little


class Limiter:
    """Call `process` with each float32 block, then `flush`: as many samples come out as went in, later.

    The gain of a sample is the smallest that any peak near it needs, smoothed by a kernel no wider than "near": so it
    is never above what a peak needs. Where no peak is above the ceiling, samples pass unchanged.
    """

    def __init__(self, rate: int, ceiling_db: float) -> None:
        self.rate = rate
        self._ceiling = 10.0 ** (ceiling_db / 20.0) * _MARGIN
        self._look = 2 * max(1, round(_LOOK * rate / 2))  # even: two kernels of half of it on each side
        self._context = 2 * self._look + _REACH
        self._data: Wave = np.zeros(self._context, dtype=np.float32)
        self._worked, self._lowest = 0, 1.0

    @property
    def seconds(self) -> float:
        """How long the gain was below 1."""
        return self._worked / self.rate

    @property
    def most_db(self) -> float:
        """The largest reduction so far, decibels, 0 when there was none."""
        return -decibels(self._lowest**2) if self._lowest < 1.0 else 0.0

    def process(self, block: Wave) -> Wave:
        """Take `block` [N]; return the samples that are now decided, [M]."""
        data = np.concatenate([self._data, block])
        ready = len(data) - 2 * self._context
        if ready <= 0:
            self._data = data
            return np.zeros(0, dtype=np.float32)
        self._data = data[ready:].copy()
        middle = data[self._context : self._context + ready]
        peaks = _true_peaks(data, self._ceiling)
        gain = self._gain(peaks)[self._context : self._context + ready]
        if gain.min() >= 1.0:
            return middle
        self._worked += int((gain < 1.0 - 1e-6).sum())
        self._lowest = min(self._lowest, float(gain.min()))
        return np.asarray(middle * gain, dtype=np.float32)

    def flush(self) -> Wave:
        """The samples that are still held; the limiter is not to be used again."""
        return self.process(np.zeros(self._context, dtype=np.float32))

    def _gain(self, peaks: NDArray[np.float64]) -> NDArray[np.float64]:
        """For each sample what it is multiplied by; computed where a peak is near, 1 elsewhere."""
        gain = np.ones(len(peaks))
        far = 4 * self._look  # twice as far as a peak reaches, so that a stretch begins and ends with 1
        for start, end in _stretches(np.flatnonzero(peaks > self._ceiling), 2 * far):
            near = slice(max(0, start - far), end + far)
            needed = np.minimum(1.0, self._ceiling / np.maximum(peaks[near], 1e-9))
            held = minimum_filter1d(needed, 2 * self._look + 1, mode="nearest")
            smooth = uniform_filter1d(uniform_filter1d(held, self._look + 1), self._look + 1)
            gain[near] = np.minimum(smooth, 1.0)
        return gain


def _stretches(places: NDArray[np.intp], gap: int) -> list[tuple[int, int]]:
    """Start and end of the groups of `places` (ascending) that lie at most `gap` from each other."""
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > gap)
    starts, ends = places[np.r_[0, breaks + 1]], places[np.r_[breaks, len(places) - 1]] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _true_peaks(data: Wave, ceiling: float) -> NDArray[np.float64]:
    """For each sample the largest magnitude on it or between it and its neighbours, [N]; exact above `ceiling`."""
    peaks = np.abs(data).astype(np.float64)
    if len(data) < 2 * _REACH:
        return peaks
    between = between_samples(data, ceiling)
    for shift in (_REACH - 1, _REACH):  # the samples on both sides
        part = peaks[shift : shift + len(between)]
        np.maximum(part, between, out=part)
    return peaks
