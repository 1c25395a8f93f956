from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.slicing.activity import runs
from voice.slicing.cuts import FRAME, Limits, cut

LIMITS = Limits()
RUNS = st.lists(st.tuples(st.booleans(), st.integers(1, 1400)), min_size=1, max_size=25)


def flags_of(sizes: list[tuple[bool, int]]) -> np.ndarray:
    flags = np.concatenate([np.full(size, on) for on, size in sizes])
    return flags[: len(flags) // 2 * 2]


def level_of(flags: np.ndarray, seed: int) -> np.ndarray:
    return np.where(flags, -20.0, -60.0) + np.random.default_rng(seed).normal(0, 5, len(flags))


def covered(found: tuple[tuple[int, int], ...], size: int) -> np.ndarray:
    out = np.zeros(size, dtype=bool)
    for start, end in found:
        out[2 * start : 2 * end] = True
    return out


@settings(max_examples=150, deadline=None)
@given(sizes=RUNS, seed=st.integers(0, 999))
def test_segments_are_apart_in_bounds_and_in_length_and_no_speech_is_lost_without_a_trace(
    sizes: list[tuple[bool, int]], seed: int
) -> None:
    flags = flags_of(sizes)
    found = cut(flags, level_of(flags, seed), LIMITS)
    spans = sorted([*found.kept, *found.short])
    assert list(found.kept) == sorted(found.kept) and list(found.short) == sorted(found.short)
    assert all(0 <= start < end <= len(flags) // 2 for start, end in spans)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))
    seconds = [(end - start) * FRAME for start, end in found.kept]
    assert all(LIMITS.min_seconds - 1e-9 <= size <= LIMITS.max_seconds + 1e-9 for size in seconds)
    assert all((end - start) * FRAME < LIMITS.min_seconds for start, end in found.short)
    assert covered((*found.kept, *found.short), len(flags))[flags].all()


@settings(max_examples=100, deadline=None)
@given(sizes=RUNS, seed=st.integers(0, 999))
def test_only_sound_longer_than_any_segment_is_cut(sizes: list[tuple[bool, int]], seed: int) -> None:
    flags = flags_of(sizes)
    found = cut(flags, level_of(flags, seed), LIMITS)
    cuts = np.array([at for span in (*found.kept, *found.short) for at in span])
    for start, end in runs(_joined(flags)):
        if (end - start) * 0.01 <= LIMITS.max_seconds - 2 * FRAME:  # on the grid it may be a frame longer each side
            assert not ((2 * cuts > start) & (2 * cuts < end)).any()


def _joined(flags: np.ndarray) -> np.ndarray:
    """Gaps under 60 ms filled: they are no pauses."""
    out = flags.copy()
    for start, end in runs(~flags):
        if end - start < 6 and start > 0 and end < len(flags):
            out[start:end] = True
    return out


@settings(max_examples=60, deadline=None)
@given(sizes=RUNS, seed=st.integers(0, 999), later=st.integers(1, 500))
def test_more_silence_before_shifts_every_cut(sizes: list[tuple[bool, int]], seed: int, later: int) -> None:
    flags = flags_of([(False, 100), *sizes])
    level = level_of(flags, seed)
    before = cut(flags, level, LIMITS)
    after = cut(
        np.concatenate([np.zeros(2 * later, bool), flags]), np.concatenate([np.full(2 * later, -60), level]), LIMITS
    )
    assert after.kept == tuple((s + later, e + later) for s, e in before.kept)
    assert after.short == tuple((s + later, e + later) for s, e in before.short)


def made(*sizes: int) -> np.ndarray:
    """Silence, speech, silence, ... in steps of 10 ms."""
    return flags_of([(number % 2 == 1, size) for number, size in enumerate(sizes)])


def test_sentences_between_pauses_become_segments_with_margins() -> None:
    flags = made(100, 400, 40, 450, 60, 380, 100)
    found = cut(flags, level_of(flags, 0), LIMITS)
    assert len(found.kept) == 3 and not found.short
    for (start, end), (first, last) in zip(found.kept, runs(flags), strict=True):
        assert 0.06 <= (first - 2 * start) * 0.01 <= 0.16 and 0.06 <= (2 * end - last) * 0.01 <= 0.16


def test_a_short_stretch_joins_its_neighbour_and_a_lone_one_is_set_aside() -> None:
    near, far = made(100, 80, 40, 400, 100), made(100, 80, 900, 400, 100)
    assert len(cut(near, level_of(near, 0), LIMITS).kept) == 1 and not cut(near, level_of(near, 0), LIMITS).short
    found = cut(far, level_of(far, 0), LIMITS)
    assert len(found.kept) == 1 and len(found.short) == 1 and found.short[0][0] < found.kept[0][0]


def test_half_a_second_of_speech_is_too_short() -> None:
    flags = made(300, 50, 300)
    found = cut(flags, level_of(flags, 0), LIMITS)
    assert not found.kept and len(found.short) == 1


def test_speech_of_nearly_the_least_length_takes_silence_to_reach_it() -> None:
    flags = made(100, 165, 100)
    ((start, end),) = cut(flags, level_of(flags, 0), LIMITS).kept
    assert (end - start) * FRAME == pytest.approx(2.0) and 2 * start >= 100 - 27 and 2 * end <= 265 + 27


def test_a_long_pause_is_preferred_to_a_short_one() -> None:
    flags = made(50, 300, 14, 300, 60, 300, 14, 300, 50)
    found = cut(flags, level_of(flags, 0), LIMITS)
    assert len(found.kept) == 2 and 664 < 2 * found.kept[0][1] <= 724


def test_thirty_seconds_without_a_pause_are_cut_at_the_deepest_places() -> None:
    flags = np.ones(3000, dtype=bool)
    level = np.full(3000, -20.0)
    for dip in (870, 1710, 2440):
        level[dip - 4 : dip + 4] = -30.0
    found = cut(flags, level, LIMITS)
    assert len(found.kept) == 4 and not found.short
    assert [2 * end for _, end in found.kept[:-1]] == [870, 1710, 2440]


def test_nothing_gives_nothing() -> None:
    assert cut(np.zeros(0, dtype=bool), np.zeros(0), LIMITS).kept == ()
    assert cut(np.zeros(1000, dtype=bool), np.zeros(1000), LIMITS).kept == ()
