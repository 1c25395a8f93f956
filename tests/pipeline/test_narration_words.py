"""Where a line's sound lies, and the parts in which a long one is heard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.narration.words import parts, speech_span


@given(st.floats(0, 1), st.floats(0.1, 2), st.floats(0, 1), st.sampled_from([16000, 24000, 44100]))
@settings(deadline=None)
def test_the_span_leaves_silence_out(before: float, sound: float, after: float, rate: int) -> None:
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, round(sound * rate))
    wave = np.concatenate([np.zeros(round(before * rate)), noise, np.zeros(round(after * rate))]).astype(np.float32)
    start, end = speech_span(wave, rate)
    assert start == pytest.approx(before, abs=0.011)
    assert end == pytest.approx(before + sound, abs=0.021)


def test_silence_has_all_of_itself_as_span() -> None:
    assert speech_span(np.zeros(24000, np.float32), 24000) == (0.0, 1.0)


def test_a_click_before_or_after_the_line_is_no_part_of_it() -> None:
    wave = np.zeros(24000, np.float32)
    wave[12000:18000] = np.random.default_rng(0).uniform(-0.3, 0.3, 6000)
    wave[2400:2640] = wave[21600:21840] = 0.2  # 10 ms each
    assert speech_span(wave, 24000) == (0.5, 0.75)


def test_where_nothing_lasts_the_clicks_are_the_sound() -> None:
    wave = np.zeros(24000, np.float32)
    wave[2400:2640] = wave[12000:12240] = 0.2
    assert speech_span(wave, 24000) == (0.1, 0.51)
    assert speech_span(wave[2400:2640], 24000) == (0.0, 0.01)
    assert speech_span(wave[:0], 24000) == (0.0, 0.0)


@pytest.mark.parametrize("seconds", [0.05, 1.0, 30.0, 30.5, 95.3])
def test_parts_are_short_and_together_the_whole(seconds: float) -> None:
    sound = np.random.default_rng(1).uniform(-0.3, 0.3, round(seconds * 16000)).astype(np.float32)
    sound[27 * 16000 : 27 * 16000 + 800] = 0.0
    found = list(parts(sound))
    assert all(len(part) <= 30 * 16000 for part in found)
    assert all(len(part) % 320 == 0 for part in found[:-1])  # so that frames add up
    if seconds > 0.1:
        assert np.array_equal(np.concatenate(found), sound)
    if seconds > 30:
        assert 27.0 <= len(found[0]) / 16000 <= 27.1  # where it is quietest
