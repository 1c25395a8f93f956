"""Signals and frames whose measures are known beforehand."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from voice.text.units import CTC_UNITS

RATE = 24000


def tone(hz: float, seconds: float = 1.0, level: float = 0.3, rate: int = RATE) -> NDArray[np.float32]:
    """A sine of `hz` with two overtones, float32 [N]."""
    time = np.arange(int(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * hz * k * time) / k for k in (1, 2, 3))
    return (level * wave / 2).astype(np.float32)


def noise(seconds: float = 1.0, level: float = 0.1, seed: int = 0) -> NDArray[np.float32]:
    """White noise, float32 [N]."""
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


def silence(seconds: float = 1.0) -> NDArray[np.float32]:
    return np.zeros(int(seconds * RATE), np.float32)


def frames(units: list[int], sure: float = 0.9) -> torch.Tensor:
    """Log-probabilities [T, U] of frames that say `units`, each with probability `sure`."""
    rest = (1 - sure) / (len(CTC_UNITS) - 1)
    table = torch.full((len(units), len(CTC_UNITS)), rest)
    table[torch.arange(len(units)), torch.tensor(units)] = sure
    return table.log()
