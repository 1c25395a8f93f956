"""Integrated loudness of a stream: ITU-R BS.1770-4, one channel, the same blocks and filters as pyloudnorm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pyloudnorm.iirfilter import IIRfilter
from scipy.signal import lfilter

from voice.levels import FLOOR_DB

BLOCK = 0.4  # seconds, the gating block
_HOP = 0.1
_HOPS = 4  # in a block
_ABSOLUTE, _RELATIVE = -70.0, -10.0  # gates: LUFS, and LU under the mean of what passes the first


class Loudness:
    """Add blocks of float32 [N] at `rate` Hz, then ask for `lufs()`."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        shelf = IIRfilter(4.0, 1 / np.sqrt(2), 1500.0, rate, "high_shelf")
        high = IIRfilter(0.0, 0.5, 38.0, rate, "high_pass")
        self._stages = [(f.b, f.a, np.zeros(2)) for f in (shelf, high)]
        self._count = 0  # samples so far
        self._energy: list[float] = []  # of each whole hop
        self._open = 0.0  # of the hop that is not full yet

    def add(self, block: NDArray[np.float32]) -> None:
        """Weight `block` and add its energy to the hops it falls into."""
        wave = block.astype(np.float64)
        for number, (b, a, state) in enumerate(self._stages):
            wave, state = lfilter(b, a, wave, zi=state)
            self._stages[number] = (b, a, state)
        power = np.square(wave)
        start = 0
        while (end := self._edge(len(self._energy) + 1) - self._count) <= len(power):
            self._energy.append(self._open + float(power[start:end].sum()))
            self._open, start = 0.0, end
        self._open += float(power[start:].sum())
        self._count += len(power)

    def _edge(self, hop: int) -> int:
        return int(_HOP * hop * self.rate + 1e-6)

    def lufs(self) -> float:
        """LUFS of all blocks; FLOOR_DB for silence or 0.4 s and less."""
        if self._count <= BLOCK * self.rate:
            return FLOOR_DB
        blocks = int(np.round((self._count / self.rate - BLOCK) / _HOP)) + 1
        hops = np.array([*self._energy, self._open, *[0.0] * _HOPS])[: blocks + _HOPS - 1]
        power = np.convolve(hops, np.ones(_HOPS), "valid") / (BLOCK * self.rate)
        level = _level(power)
        if not (level >= _ABSOLUTE).any():
            return FLOOR_DB
        gate = _level(power[level >= _ABSOLUTE].mean()) + _RELATIVE
        return max(FLOOR_DB, float(_level(power[(level > gate) & (level > _ABSOLUTE)].mean())))


def _level(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return -0.691 + 10.0 * np.log10(np.maximum(power, 1e-30))
