"""Mains hum: steady lines at 50 or 60 Hz and their multiples."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import rfft

from voice.measures.windows import Windows

MAINS = (50, 60)
_RATE = 2000  # Hz, enough for the lines looked at
_MULTIPLES = 5
_STEADY = 10  # percentile over windows: what is left in the quiet ones is there all the time
_NEAR, _FAR = 3, 8  # Hz from a line: its neighbourhood on both sides
_STANDS_OUT = 12.0  # dB over the neighbourhood
_AUDIBLE = -60.0  # dB under the loudest window
_SHORTEST = 5.0  # seconds: with less, a held vowel could pass for hum


class Hum:
    """Add blocks of float32 [N] at `rate` Hz, then ask for `found()`.

    Spectra of 1 s every 0.5 s; of each bin (1 Hz) the 10th percentile over time. A line is the power within 1 Hz of a
    multiple over the median power 3 to 8 Hz away from it.
    """

    def __init__(self, rate: int) -> None:
        self._resampler = soxr.ResampleStream(rate, _RATE, 1, dtype="float32", quality="LQ")
        self._windows = Windows(_RATE, _RATE // 2)
        self._window = np.hanning(_RATE + 1)[:-1].astype(np.float32)
        self._power: list[NDArray[np.float32]] = []

    def add(self, block: NDArray[np.float32]) -> None:
        """Take `block` into account."""
        frames = self._windows.add(np.asarray(self._resampler.resample_chunk(block), dtype=np.float32))
        spectrum = rfft(frames * self._window, axis=1)[:, : MAINS[-1] * _MULTIPLES + _FAR + 2]
        self._power.append(np.square(np.abs(spectrum)).astype(np.float32))

    def found(self) -> tuple[int, float]:
        """(50 or 60, or 0 when there is none; how far its strongest line stands out, dB, 0 when there is none)."""
        power = np.concatenate(self._power) if self._power else np.zeros((0, 1), dtype=np.float32)
        if len(power) < 2 * _SHORTEST:
            return 0, 0.0
        steady = np.percentile(power.astype(np.float64), _STEADY, axis=0) + 1e-12
        audible = power.sum(axis=1).max() * 10.0 ** (_AUDIBLE / 10.0)
        best, score = (0, 0.0), 0.0
        for mains in MAINS:
            over = [_stands_out(steady, mains * k, audible) for k in range(1, _MULTIPLES + 1)]
            # The mains show at their own frequency or, behind a rectifier, at twice that.
            if max(over[:2]) >= _STANDS_OUT and sum(max(0.0, value) for value in over) > score:
                best, score = (mains, round(max(over), 1)), sum(max(0.0, value) for value in over)
        return best


def _stands_out(steady: NDArray[np.float64], hertz: int, audible: float) -> float:
    line = float(steady[hertz - 1 : hertz + 2].sum())
    around = np.concatenate([steady[hertz - _FAR : hertz - _NEAR + 1], steady[hertz + _NEAR : hertz + _FAR + 1]])
    if line < audible:
        return 0.0
    return 10.0 * float(np.log10(line / (3.0 * float(np.median(around)))))
