"""Two hours go through every step and memory stays where it was."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.voice.mastering.sounds import LABEL
from voice.mastering.acx import acx_report
from voice.mastering.encode import write
from voice.mastering.joins import join
from voice.mastering.loudness import Target, master

RATE = 8000
HOURS = 2
NOISE = np.random.default_rng(0).normal(0, 3000, 10 * RATE).astype(np.int16)


def lines(seconds: float) -> Iterator[NDArray[np.int16]]:
    """Lines of 10 s, made from one; joined without a pause."""
    for piece in join(((NOISE, 0.0) for _ in range(round(seconds / 10))), RATE):
        yield piece.audio


@pytest.mark.parametrize(("kind", "seconds"), [("wav", HOURS * 3600), ("flac", 600), ("m4b", 600)])
def test_a_long_book_is_written_in_the_memory_of_a_short_one(tmp_path: Path, kind: str, seconds: int) -> None:
    target = Target("high", -18.0, ceiling_db=-7.5)  # the limiter works
    plan = master(lambda: lines(60), RATE, target)
    assert plan.limits and plan.limited_seconds > 0
    tracemalloc.start()
    try:
        done = write(plan.apply(lines(seconds), RATE), RATE, tmp_path / f"x.{kind}", label=LABEL)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.seconds == seconds
    assert peak < 6 << 20  # the samples as int16 are 115 MB in two hours, 10 in ten minutes


def test_two_hours_are_measured_in_bounded_memory() -> None:
    tracemalloc.start()
    try:
        plan = master(lambda: lines(HOURS * 3600), RATE, Target("low", -30.0))
        report = acx_report(lines(HOURS * 3600), RATE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert plan.before.seconds == HOURS * 3600 and not plan.limits
    assert [rule.name for rule in report.rules if not rule.ok] == ["noise_floor"]
    assert peak < 8 << 20
