from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.audio import read_audio
from voice.vad import FRAME, Limits, cut, group, regions

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits()


def flags_of(runs: list[tuple[bool, int]]) -> np.ndarray:
    return np.concatenate([np.full(size, speech) for speech, size in runs])


runs = st.lists(st.tuples(st.booleans(), st.integers(1, 900)), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(runs=runs, seed=st.integers(0, 999))
def test_segments_never_overlap_lie_inside_and_account_for_every_second(
    runs: list[tuple[bool, int]], seed: int
) -> None:
    flags = flags_of(runs)
    level = np.random.default_rng(seed).normal(-40, 10, len(flags))
    found = group(regions(flags, LIMITS), level, LIMITS)
    spans = sorted([*found.kept, *found.short])
    assert all(0 <= s < e <= len(flags) for s, e in spans)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))
    for start, end in found.kept:
        assert LIMITS.min_seconds - 1e-6 <= (end - start) * FRAME <= LIMITS.max_seconds + 1e-6
    assert all((e - s) * FRAME < LIMITS.min_seconds for s, e in found.short)
    account = found.seconds()
    assert abs(sum(account.values()) - len(flags) * FRAME) < 0.05 and min(account.values()) >= 0


@settings(max_examples=100, deadline=None)
@given(runs=runs)
def test_speech_that_is_found_ends_up_in_a_segment(runs: list[tuple[bool, int]]) -> None:
    flags = flags_of(runs)
    speech = regions(flags, LIMITS)
    found = group(speech, np.zeros(len(flags)), LIMITS)
    covered = np.zeros(len(flags), dtype=bool)
    for start, end in [*found.kept, *found.short]:
        covered[start:end] = True
    lost = sum(int((~covered[s:e]).sum()) for s, e in speech)
    assert lost * FRAME <= 2 * LIMITS.pad * len(speech)  # at most the margins give way


def test_gaps_are_filled_and_bursts_dropped() -> None:
    flags = flags_of([(False, 10), (True, 20), (False, 3), (True, 20), (False, 50), (True, 2), (False, 10)])
    assert regions(flags, LIMITS) == [(10, 53)]


def test_a_long_region_is_split_at_its_quietest_frame() -> None:
    level = np.zeros(800)
    level[370] = -50.0
    found = group([(0, 800)], level, LIMITS)
    assert found.kept == ((0, 370), (370, 800))


def test_a_segment_prefers_the_long_pause() -> None:
    """Three regions, a short and a long pause: the cut falls into the long one."""
    found = group([(0, 100), (108, 200), (320, 450)], np.zeros(460), LIMITS)
    assert found.kept == ((0, 205), (315, 455))


def test_the_demo_recording_is_cut_between_its_sentences() -> None:
    wave, rate = read_audio(ROOT / "data/raw/demo_en/recording.flac")
    found = cut(wave, rate, LIMITS)
    assert 10 <= len(found.kept) <= 16 and found.seconds()["kept"] > 40
    for pause in (4.07, 9.17, 13.99):  # inside the pauses between the first sentences, seconds
        assert not any(s * FRAME < pause < e * FRAME for s, e in found.kept)


def test_silence_gives_no_segment() -> None:
    assert cut(np.zeros(24000 * 5, dtype=np.float32), 24000, LIMITS).kept == ()
    assert cut(np.zeros(0, dtype=np.float32), 24000, LIMITS).kept == ()
