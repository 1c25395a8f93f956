"""A book brought to a loudness: measured in one pass, then one gain, and a limiter only where a peak forbids it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.errors import UserError
from voice.levels import FLOOR_DB, decibels
from voice.mastering.blocks import Wave, as_float, even
from voice.mastering.limiter import Limiter
from voice.measures.loudness import Loudness
from voice.measures.peaks import TruePeak

_NEAR = 0.1  # dB: a limited book this close to its target is done
_ROUNDS = 4

Blocks = Iterable[NDArray[Any]]


@dataclass(frozen=True)
class Target:
    """`level` in LUFS (EBU R128, BS.1770-4 gated) or, with `by` "rms", in dBFS; no true peak above `ceiling_db`."""

    name: str
    level: float
    by: str = "lufs"
    ceiling_db: float = -1.0


# ACX wants RMS in -23 to -18 dB and peaks of at most -3 dB, the reports of `voice.mastering.acx` check it.
TARGETS = {
    target.name: target
    for target in (
        Target("r128-16", -16.0),
        Target("r128-18", -18.0),
        Target("r128-23", -23.0),
        Target("acx", -20.0, "rms", -3.2),
    )
}


def find_target(name: str) -> Target:
    """The target called `name`, UserError when there is none."""
    if name not in TARGETS:
        raise UserError(f"loudness {name}: no such target", f"use one of {', '.join(TARGETS)}")
    return TARGETS[name]


@dataclass(frozen=True)
class Levels:
    """Figures of a whole stream; FLOOR_DB stands for silence."""

    seconds: float
    lufs: float
    rms_db: float
    peak_db: float
    true_peak_db: float


def levels(blocks: Blocks, rate: int) -> Levels:
    """Measure blocks of int16 or float32 [N] at `rate` Hz in one pass."""
    loudness, peak = Loudness(rate), TruePeak()
    count, power = 0, 0.0
    for block in even(map(as_float, blocks)):
        loudness.add(block)
        peak.add(block)
        count += len(block)
        power += float(np.square(block, dtype=np.float64).sum())
    sample, rms = peak.peak_db(), decibels(power / max(1, count))
    figures = (loudness.lufs(), rms, sample, peak.true_peak_db())
    return Levels(count / rate, *(round(value, 3) for value in figures))


@dataclass(frozen=True)
class Mastering:
    """The gain that brings `before` to `after`. `limited_seconds` and `limited_db` tell how much the limiter works."""

    target: Target
    gain_db: float
    limits: bool
    before: Levels
    after: Levels
    limited_seconds: float = 0.0
    limited_db: float = 0.0

    def apply(self, blocks: Blocks, rate: int) -> Iterator[Wave]:
        """The same samples, float32 blocks, at the new level."""
        limiter = Limiter(rate, self.target.ceiling_db) if self.limits else None
        return _apply(blocks, self.gain_db, limiter)


def master(
    open_blocks: Callable[[], Blocks], rate: int, target: Target, through: Callable[[Blocks], Blocks] = iter
) -> Mastering:
    """Find the gain; `open_blocks` gives the stream anew for each pass.

    One pass where no peak is in the way, else two to five: what the limiter takes is given back until the level is
    within 0.1 dB. Silence keeps its level. `after` says what was reached; the caller judges it. Each limited stream
    goes `through` that function before it is measured, the last one is that of the answer.
    """
    before = levels(open_blocks(), rate)
    gain = 0.0 if _level(before, target) <= FLOOR_DB else round(target.level - _level(before, target), 3)
    if before.true_peak_db + gain <= target.ceiling_db or before.true_peak_db <= FLOOR_DB:
        return Mastering(target, gain, False, before, _moved(before, gain))
    for _ in range(_ROUNDS):
        limiter = Limiter(rate, target.ceiling_db)
        after = levels(through(_apply(open_blocks(), gain, limiter)), rate)
        found = Mastering(
            target, gain, True, before, after, round(limiter.seconds, 3), round(max(0.0, limiter.most_db), 2)
        )
        miss = target.level - _level(after, target) if _level(before, target) > FLOOR_DB else 0.0
        if abs(miss) <= _NEAR:
            break
        gain = round(gain + miss, 3)
    return found


def _apply(blocks: Blocks, gain_db: float, limiter: Limiter | None) -> Iterator[Wave]:
    factor = np.float32(10.0 ** (gain_db / 20.0))
    for block in even(map(as_float, blocks)):
        louder = block * factor
        if limiter is None:
            yield louder
        elif len(out := limiter.process(louder)):
            yield out
    if limiter is not None and len(out := limiter.flush()):
        yield out


def _level(measured: Levels, target: Target) -> float:
    return measured.rms_db if target.by == "rms" else measured.lufs


def _moved(measured: Levels, gain: float) -> Levels:
    moved = (measured.lufs, measured.rms_db, measured.peak_db, measured.true_peak_db)
    return Levels(measured.seconds, *(value if value <= FLOOR_DB else round(value + gain, 3) for value in moved))
