"""Speaking rate: phones per second between the first and the last audible frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.levels import FLOOR_DB, frame_db

BELOW_PEAK_DB = 40.0  # quieter frames at the ends are silence
_FRAME = 50  # frames a second


def speech_seconds(wave: NDArray[np.float32], rate: int) -> float:
    """Seconds from the first to the last frame (20 ms) within 40 dB of the loudest; pauses inside count. 0: silence.

    `wave` is [N] at `rate` Hz.
    """
    levels = frame_db(wave, rate // _FRAME)
    if not len(levels) or levels.max() <= FLOOR_DB:
        return 0.0
    loud = np.flatnonzero(levels >= levels.max() - BELOW_PEAK_DB)
    return float(loud[-1] - loud[0] + 1) / _FRAME


def phones_per_second(phones: int, seconds: float) -> float:
    """Sounding phones per second of speech; 0 when there is no speech. Read speech lies between 8 and 18."""
    return phones / seconds if seconds > 0 else 0.0
