"""The three levels that ACX (Audible's audiobook exchange) asks of each file, measured while it streams by."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.levels import FLOOR_DB, decibels
from voice.mastering.blocks import as_float, even

RMS, PEAK, NOISE = (-23.0, -18.0), -3.0, -60.0  # dBFS, ACX audio submission requirements
_HOP, _HOPS = 0.1, 5  # seconds; the noise floor is the RMS of the quietest half second


@dataclass(frozen=True)
class Rule:
    """One rule: `value` in dBFS must lie in `low` (None: no lower end) to `high`."""

    name: str
    value: float
    low: float | None
    high: float

    @property
    def ok(self) -> bool:
        """True when the rule is kept."""
        return (self.low is None or self.value >= self.low) and self.value <= self.high


@dataclass(frozen=True)
class AcxReport:
    """RMS, peak and noise floor. Pauses of digital silence give a noise floor of FLOOR_DB."""

    rules: tuple[Rule, ...]

    @property
    def ok(self) -> bool:
        """True when every rule is kept."""
        return all(rule.ok for rule in self.rules)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"ok": self.ok, "rules": [{**asdict(rule), "ok": rule.ok} for rule in self.rules]}


def acx_report(blocks: Iterable[NDArray[Any]], rate: int) -> AcxReport:
    """Measure blocks of int16 or float32 [N] at `rate` Hz in one pass; less than 0.5 s has its RMS as noise floor."""
    hop = max(1, round(_HOP * rate))
    count, total, peak, floor = 0, 0.0, 0.0, float("inf")
    last: deque[float] = deque(maxlen=_HOPS)
    for block in even(map(as_float, blocks), hop):
        energy = float(np.square(block, dtype=np.float64).sum())
        count, total = count + len(block), total + energy
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        if len(block) == hop:
            last.append(energy)
            if len(last) == _HOPS:
                floor = min(floor, sum(last) / (_HOPS * hop))
    rms = decibels(total / max(1, count))
    noise = rms if floor == float("inf") else decibels(floor)
    return AcxReport(
        (
            Rule("rms", round(rms, 2), *RMS),
            Rule("peak", round(decibels(peak**2), 2), None, PEAK),
            Rule("noise_floor", round(max(FLOOR_DB, noise), 2), None, NOISE),
        )
    )
