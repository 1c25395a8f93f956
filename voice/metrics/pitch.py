"""Fundamental frequency of speech by probabilistic YIN (Mauch and Dixon 2014, as librosa has it)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.audio import resample
from voice.librosa_parts import part

RATE = 16000
HOP = 320  # 20 ms
FRAME = 1024  # 64 ms: two periods of the lowest voice
LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0


@dataclass(frozen=True)
class Pitch:
    """`voiced` [V] holds the F0 of voiced frames in Hz, `frames` counts all frames of 20 ms."""

    voiced: NDArray[np.float64]
    frames: int

    @property
    def median(self) -> float | None:
        """Median F0 in Hz, None when no frame is voiced."""
        return float(np.median(self.voiced)) if len(self.voiced) else None

    @property
    def spread(self) -> float | None:
        """Interquartile range of F0 in Hz (small for a monotonous voice), None when no frame is voiced."""
        if not len(self.voiced):
            return None
        low, high = np.percentile(self.voiced, [25, 75])
        return float(high - low)

    @property
    def voiced_share(self) -> float:
        """Voiced frames among all, in [0, 1]."""
        return len(self.voiced) / self.frames


def pitch(wave: NDArray[np.float32], rate: int) -> Pitch:
    """F0 of `wave` [N] at `rate` Hz, sought from 60 to 500 Hz."""
    track, voiced, _ = part("core.pitch").pyin(
        resample(wave, rate, RATE),
        fmin=LOWEST_HZ,
        fmax=HIGHEST_HZ,
        sr=RATE,
        frame_length=FRAME,
        hop_length=HOP,
    )
    return Pitch(np.asarray(track[voiced], dtype=np.float64), len(track))
