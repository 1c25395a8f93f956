"""What is measured of a take without knowing its text: clipping, dead air, its end, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from voice.levels import FLOOR_DB, frame_db

RATE = 16000  # Hz, of everything here but clipping
STEP = 0.01  # seconds
_FLAT = 1e-4  # of the peak: nearer neighbours than any wave has at its crest
_FLAT_RUN = 3  # samples
_WINDOW, _BANDS = 512, 20  # samples of a spectrum; bands of equal width on the mel scale
_LOWEST, _HIGHEST = 100.0, 7600.0  # Hz
_STEADY = 0.25  # seconds: in speech every band falls silent once in so long
_QUIET = 42.0  # dB under the loud frames is dead air
_EDGE = 0.03  # seconds at the end


@dataclass(frozen=True)
class Level:
    """Level in dB every 10 ms [T], and that of the loud frames (95th percentile)."""

    db: NDArray[np.float64]
    loud: float

    @classmethod
    def of(cls, wave: NDArray[np.float32]) -> Level:
        """Of 16 kHz audio [N]."""
        db = frame_db(wave, round(RATE * STEP))
        return cls(db, float(np.percentile(db, 95)) if len(db) else FLOOR_DB)

    def silences(self) -> list[tuple[float, float]]:
        """Start and end in seconds of each stretch of dead air, longest first, those at the edges left out."""
        active = np.flatnonzero(self.db > self.loud - _QUIET)
        if not len(active):
            return []
        steps = np.diff(active)
        found = [(float(active[i] + 1) * STEP, float(active[i + 1]) * STEP) for i in np.flatnonzero(steps > 1)]
        return sorted(found, key=lambda one: one[0] - one[1])

    def end(self) -> float:
        """dB of the last 30 ms under the loud frames (a negative figure): a word cut in the middle ends loud."""
        last = self.db[-round(_EDGE / STEP) :]
        return float(last.max() - self.loud) if len(last) else 0.0

    def speech(self) -> float:
        """Seconds from the first to the last frame that is no dead air."""
        active = np.flatnonzero(self.db > self.loud - _QUIET)
        return float(active[-1] - active[0] + 1) * STEP if len(active) and self.loud > FLOOR_DB else 0.0


def flat_share(wave: NDArray[np.float32]) -> float:
    """Share of samples in runs of three and more that stand still at the take's own peak; `wave` at its own rate."""
    peak = float(np.abs(wave).max(initial=0.0))
    if peak <= 0.0:
        return 0.0
    total = 0
    for side in (wave, -wave):
        full = side >= peak * (1.0 - _FLAT)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], full.astype(np.int8), [0]])))
        runs = edges[1::2] - edges[::2]
        total += int(runs[runs >= _FLAT_RUN].sum())
    return total / len(wave)


def fill_db(wave: NDArray[np.float32]) -> float:
    """How full of steady sound the fullest quarter of a second is, dB under the loud frames; FLOOR_DB when too short.

    Speech leaves every band of the spectrum now and then; noise leaves none. Of each band the lowest level in 0.25 s
    is taken, of the bands the mean, of all moments the highest. `wave` is at 16 kHz.
    """
    power = _bands(wave)
    size = round(_STEADY / STEP)
    if len(power) <= size:
        return FLOOR_DB
    level = 10.0 * np.log10(uniform_filter1d(power, 3, axis=0) + 1e-12)
    steady = minimum_filter1d(level, size, axis=0)[size // 2 : -(size // 2)].mean(axis=1)
    loud = float(np.percentile(10.0 * np.log10(power.sum(axis=1) + 1e-12), 95))
    return max(FLOOR_DB, float(steady.max()) - loud)


def _bands(wave: NDArray[np.float32]) -> NDArray[np.float64]:
    """Power [T, 20] in bands every 10 ms of 16 kHz audio."""
    hop = round(RATE * STEP)
    if len(wave) < _WINDOW:
        return np.zeros((0, _BANDS))
    frames = np.lib.stride_tricks.sliding_window_view(wave, _WINDOW)[::hop]
    power = np.square(np.abs(rfft(frames * np.hanning(_WINDOW).astype(np.float32), axis=1)))
    low, high = (2595.0 * float(np.log10(1.0 + hertz / 700.0)) for hertz in (_LOWEST, _HIGHEST))
    mel = np.linspace(low, high, _BANDS + 1)
    edges = np.round(700.0 * (10.0 ** (mel / 2595.0) - 1.0) * _WINDOW / RATE).astype(int)
    return np.asarray(np.add.reduceat(power, edges, axis=1)[:, :_BANDS], dtype=np.float64)
