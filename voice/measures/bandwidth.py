"""Up to which frequency a recording holds sound of its own: audio that was upsampled, or went by telephone, shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from voice.measures.windows import Windows

_STEP = 125.0  # Hz, the width of a band
_FRAME = 0.032  # seconds, at least
_FLOOR, _TOP = -160, 40  # dB, ends of the histograms
_LOUD, _QUIET = 98, 10  # percentiles of a band's level over time
_BELOW = 60.0  # dB under the loudest band is nothing a listener hears
_MOVES = 15.0  # dB between quiet and loud: noise of a converter stands still, speech does not


class Bandwidth:
    """Add blocks of float32 [N] at `rate` Hz, then ask for `hz()`.

    Bands of 125 Hz: one holds sound when its loud moments (98th percentile over frames) lie at most 60 dB under those
    of the loudest band and at least 15 dB over its own quiet ones (10th percentile). Levels are kept as histograms.
    """

    def __init__(self, rate: int) -> None:
        size = 1 << int(np.ceil(np.log2(rate * _FRAME)))
        self._window = np.hanning(size + 1)[:-1].astype(np.float32)
        self._windows = Windows(size, size)
        self._edges = np.round(np.arange(0, rate / 2, _STEP) * size / rate).astype(int)
        self._scale = np.float32(2.0 / (size * np.square(self._window).sum()))
        self._counts = np.zeros((len(self._edges), _TOP - _FLOOR), dtype=np.int64)

    def add(self, block: NDArray[np.float32]) -> None:
        """Take `block` into account; frames of digital silence say nothing and are passed over."""
        frames = self._windows.add(block)
        frames = frames[frames.any(axis=1)]
        if len(frames) == 0:
            return
        power = np.square(np.abs(rfft(frames * self._window, axis=1))) * self._scale
        bands = 10.0 * np.log10(np.add.reduceat(power, self._edges, axis=1) + 1e-30)
        level = np.clip(np.floor(bands).astype(int) - _FLOOR, 0, _TOP - _FLOOR - 1)
        cell = level + np.arange(len(self._edges)) * (_TOP - _FLOOR)
        self._counts += np.bincount(cell.ravel(), minlength=self._counts.size).reshape(self._counts.shape)

    def hz(self) -> float:
        """The upper edge of the highest band that holds sound; 0 when none does."""
        if not self._counts.any():
            return 0.0
        loud, quiet = self._percentile(_LOUD), self._percentile(_QUIET)
        held = np.flatnonzero((loud >= loud.max() - _BELOW) & (loud - quiet >= _MOVES))
        return float((held[-1] + 1) * _STEP) if len(held) else 0.0

    def _percentile(self, percent: int) -> NDArray[np.int64]:
        share = np.cumsum(self._counts, axis=1) / self._counts.sum(axis=1, keepdims=True)
        return (share >= percent / 100).argmax(axis=1) + _FLOOR
