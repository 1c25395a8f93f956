"""Distance between a recording and its resynthesis, frame by frame."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from voice.mel import log_mel

_N_FFT, _MELS = 1024, 80
_DB = 20 / math.log(10)  # natural logarithm of a magnitude to decibels


def mel_distance_db(a: NDArray[np.float32], b: NDArray[np.float32], rate: int) -> float:
    """Mean absolute log-mel difference of two sounds [N] at `rate` Hz, in dB over 80 bands.

    Frames are compared one to one, so both must have the same timing; the longer one is cut. 0 is identical, about
    4 to 8 is what small decoders reach. Raises ValueError when less than one window is shared.
    """
    size = min(len(a), len(b))
    if size < _N_FFT:
        raise ValueError(f"{size} shared samples are less than one window of {_N_FFT}")
    both = torch.from_numpy(np.stack([a[:size], b[:size]]))
    first, second = log_mel(both, rate, _N_FFT, _N_FFT // 4, _N_FFT, _MELS)
    return float((first - second).abs().mean()) * _DB
