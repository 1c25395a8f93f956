"""Levels of a short piece of audio that is in memory as a whole; `voice.measures` has those of a stream."""

from __future__ import annotations

import warnings

import numpy as np
import pyloudnorm
from numpy.typing import NDArray

FLOOR_DB = -120.0  # stands for digital silence, so that tables hold finite numbers
SNR_CEILING_DB = 100.0
FULL_SCALE = 0.999  # samples from here on count as clipped
_BLOCK = 0.4  # seconds, the gating block of BS.1770


def decibels(power: float) -> float:
    """10 log10 of a power, held at FLOOR_DB."""
    return max(FLOOR_DB, 10.0 * float(np.log10(max(power, 1e-30))))


def peak_db(wave: NDArray[np.float32]) -> float:
    """Largest sample, dBFS."""
    return decibels(float(np.abs(wave).max(initial=0.0)) ** 2)


def loudness(wave: NDArray[np.float32], rate: int) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4, gated); FLOOR_DB for silence or less than 0.4 s."""
    if len(wave) <= _BLOCK * rate or not wave.any():
        return FLOOR_DB
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = float(pyloudnorm.Meter(rate, block_size=_BLOCK).integrated_loudness(wave.astype(np.float64)))
    return max(FLOOR_DB, value) if np.isfinite(value) else FLOOR_DB


def frame_power(wave: NDArray[np.float32], frame: int) -> NDArray[np.float64]:
    """Mean power of each whole frame of `frame` samples, [N // frame]."""
    count = len(wave) // frame
    return np.square(wave[: count * frame].astype(np.float64)).reshape(count, frame).mean(axis=1)


def frame_db(wave: NDArray[np.float32], frame: int) -> NDArray[np.float64]:
    """Mean power of each whole frame of `frame` samples in dBFS, [N // frame]."""
    return np.maximum(FLOOR_DB, 10.0 * np.log10(np.maximum(frame_power(wave, frame), 1e-30)))


def snr_db(wave: NDArray[np.float32], rate: int) -> float:
    """Signal-to-noise estimate of `snr_of_frames` from frames of 20 ms, dB."""
    return snr_of_frames(frame_power(wave, max(1, rate // 50)))


def snr_of_frames(power: NDArray[np.float64]) -> float:
    """Signal-to-noise estimate from the powers of frames, dB, in [0, 100].

    Noise is the power at the 10th percentile (speech always has pauses), signal the mean power of the louder
    half less that noise. It ranks recordings; it is not a laboratory figure.
    """
    if len(power) < 10:
        return 0.0
    power = np.maximum(power, 10.0 ** (FLOOR_DB / 10.0))
    noise = float(np.percentile(power, 10))
    signal = float(power[power >= np.median(power)].mean()) - noise
    return float(np.clip(decibels(signal) - decibels(noise), 0.0, SNR_CEILING_DB))


def clipping_runs(wave: NDArray[np.float32], shortest: int = 3) -> int:
    """Number of runs of at least `shortest` neighbouring samples at full scale with the same sign."""
    runs = 0
    for side in (wave >= FULL_SCALE, wave <= -FULL_SCALE):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], side.astype(np.int8), [0]])))
        runs += int((edges[1::2] - edges[::2] >= shortest).sum())
    return runs


def gain_db(lufs: float, peak: float, target_lufs: float, ceiling_db: float) -> float:
    """Gain that brings the loudness `lufs` to `target_lufs`, or less so that `peak` (dBFS) stays under `ceiling_db`."""
    return round(min(target_lufs - lufs, ceiling_db - peak), 3)
