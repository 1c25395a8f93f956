"""The faults of the recall study are what they say, and the same each time."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "docs"))

from bench_gate_faults import FAULTS, Spoken, clipped, cut, doubled, noise, silent, splice, swapped  # noqa: E402

RATE = 16000
TIMES = [(0.1, 0.4), (0.4, 0.9), (0.9, 1.3), (1.3, 1.9)]


def clip(seed: int = 0) -> Spoken:
    """Two seconds; the number of a word is the level of its samples."""
    wave = np.full(2 * RATE, 0.01, np.float32)
    for number, (start, end) in enumerate(TIMES, start=1):
        wave[round(start * RATE) : round(end * RATE)] = 0.1 * number + 0.01 * seed
    return Spoken(wave, RATE, ["down", "to", "the", "harbour"], [4, 2, 2, 6], TIMES)


def test_joints_are_soft_and_cost_their_fade() -> None:
    joined = splice(RATE, np.zeros(1000, np.float32), np.ones(1000, np.float32))
    assert len(joined) == 2000 - round(0.008 * RATE) and np.abs(np.diff(joined)).max() < 0.02


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("seed", range(8))
def test_a_fault_changes_its_copy_alone_and_is_the_same_each_time(name: str, seed: int) -> None:
    one, before = clip(), clip().wave.copy()
    first = FAULTS[name](one, clip(5), random.Random(seed))
    again = FAULTS[name](one, clip(5), random.Random(seed))
    assert np.array_equal(one.wave, before) and first.wave.dtype == np.float32
    assert np.array_equal(first.wave, again.wave) and first.done == again.done
    assert len(first.wave) != len(before) or not np.array_equal(first.wave, before)


@pytest.mark.parametrize("seed", range(8))
def test_lengths_tell_what_was_done(seed: int) -> None:
    whole = len(clip().wave)
    assert len(cut(clip(), clip(5), random.Random(seed)).wave) < whole - 0.25 * RATE
    longer = doubled(clip(), clip(5), random.Random(seed))
    assert whole + 0.25 * RATE < len(longer.wave) < whole + 0.65 * RATE and longer.sounds >= 2
    air = silent(clip(), clip(5), random.Random(seed))
    assert len(air.wave) == (whole if air.done == "whole" else pytest.approx(whole + RATE, abs=300))
    other = swapped(clip(), clip(5), random.Random(seed))
    assert other.done.startswith("exchanged") or " for " in other.done


def test_noise_is_5_db_under_the_clip() -> None:
    found = [noise(clip(), clip(5), random.Random(seed)) for seed in range(8)]
    whole = next(one for one in found if one.done.endswith("all along"))
    added = whole.wave - clip().wave
    assert 10 * np.log10(np.square(clip().wave).mean() / np.square(added).mean()) == pytest.approx(5, abs=0.1)
    assert clipped(clip(), clip(5), random.Random(0)).wave.max() == 1.0
