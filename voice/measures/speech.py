"""Short-time features of speech, streamed: what the estimates of reverberation and of several speakers start from."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import dct, irfft, rfft

from voice.librosa_parts import part
from voice.measures.windows import Windows

RATE = 16000
HOP = 160  # 10 ms
_FRAME, _FFT = 400, 512
_MELS, _CEPSTRA, _BANDS = 32, 20, 4
_F0_FRAME, _F0_HOP, _F0_FFT = 640, 320, 1024
_LOWEST, _HIGHEST = 65.0, 400.0  # Hz
_VOICED = 0.6  # of the frame's energy that comes back after one period
_CLIMB = 8  # samples from the first high lag to its maximum

Array = NDArray[np.float32]


class Frames(NamedTuple):
    """Features of T frames, 10 ms apart, of audio at 16 kHz."""

    cepstra: Array  # [T, 19], mel cepstrum without its first term, which is the level
    bands: Array  # [T, 4], dB: power of four parts of the mel scale, 80 to 7000 Hz
    level: Array  # [T], dB
    f0: Array  # [T], Hz, not a number where unvoiced


class Speech:
    """Add blocks of float32 [N] at `rate` Hz, then ask once for `frames()`. About 100 kB a minute stay in memory."""

    def __init__(self, rate: int) -> None:
        self._resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
        self._windows = Windows(_FRAME, HOP)
        self._f0_windows = Windows(_F0_FRAME, _F0_HOP)
        self._parts: list[tuple[Array, Array, Array]] = []
        self._f0: list[Array] = []

    def add(self, block: Array) -> None:
        """Take `block` into account."""
        wave = np.asarray(self._resampler.resample_chunk(block), dtype=np.float32)
        if len(frames := self._windows.add(wave)):
            self._parts.append(_spectral(frames))
        if len(frames := self._f0_windows.add(wave)):
            self._f0.append(_pitch(frames))

    def frames(self) -> Frames:
        """All frames so far; `add` must not be called again."""
        if not self._f0:
            empty = np.zeros(0, dtype=np.float32)
            return Frames(np.zeros((0, _CEPSTRA - 1), np.float32), np.zeros((0, _BANDS), np.float32), empty, empty)
        f0 = np.repeat(np.concatenate(self._f0), _F0_HOP // HOP)
        cepstra, bands, level = (np.concatenate(part)[: len(f0)] for part in zip(*self._parts, strict=True))
        return Frames(cepstra, bands, level, f0[: len(level)])


def _spectral(frames: Array) -> tuple[Array, Array, Array]:
    windowed = frames * _window(_FRAME)
    power = np.square(np.abs(rfft(windowed, _FFT, axis=1))) @ _mel().T
    log = np.log(power + 1e-10)
    bands = 10.0 * np.log10(power.reshape(len(power), _BANDS, -1).sum(axis=2) + 1e-10)
    level = 10.0 * np.log10(np.square(windowed).mean(axis=1) + 1e-12)
    cepstra = dct(log, type=2, norm="ortho", axis=1)[:, 1:_CEPSTRA]
    return cepstra.astype(np.float32), bands.astype(np.float32), level.astype(np.float32)


def _pitch(frames: Array) -> Array:
    """F0 by autocorrelation, the window's own taken out (after Boersma, 1993); the shortest of equal periods wins."""
    window = _window(_F0_FRAME)
    centred = (frames - frames.mean(axis=1, keepdims=True)) * window
    low, high = int(RATE / _HIGHEST), int(RATE / _LOWEST)
    own = irfft(np.square(np.abs(rfft(window, _F0_FFT))))
    back = irfft(np.square(np.abs(rfft(centred, _F0_FFT, axis=1))), axis=1)
    strength = back[:, low:high] / (back[:, :1] + 1e-9) / (own[low:high] / own[0])
    best = strength.max(axis=1)
    lag = (strength >= 0.9 * best[:, None]).argmax(axis=1)
    rows, last = np.arange(len(lag)), strength.shape[1] - 1
    for _ in range(_CLIMB):
        after = np.minimum(lag + 1, last)
        lag = np.where(strength[rows, after] > strength[rows, lag], after, lag)
    return np.where(best > _VOICED, RATE / (lag + low), np.nan).astype(np.float32)


@cache
def _window(size: int) -> Array:
    return np.hanning(size + 2)[1:-1].astype(np.float32)


@cache
def _mel() -> Array:
    return np.asarray(part("filters").mel(sr=RATE, n_fft=_FFT, n_mels=_MELS, fmin=80.0, fmax=7000.0), dtype=np.float32)
