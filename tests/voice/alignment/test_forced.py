from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.alignment.frames import UNITS, heard
from voice.alignment.forced import place_units
from voice.errors import UserError


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, UNITS - 1), st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=20))
def test_units_are_found_where_they_sound(sounds: list[tuple[int, int, int]]) -> None:
    frames: list[int] = [0]
    truth: list[tuple[int, int]] = []
    for unit, length, pause in sounds:
        truth.append((len(frames), len(frames) + length))
        frames += [unit] * length + [0] * pause
    placed = place_units(heard(frames), [unit for unit, _, _ in sounds])
    assert [(p.start, p.end) for p in placed] == truth
    assert all(p.score == pytest.approx(0.9, abs=1e-3) for p in placed)


def test_a_sound_that_is_not_there_scores_low() -> None:
    good, bad = place_units(heard([0, 5, 5, 0, 9, 9, 0]), [5, 7])
    assert good.score > 0.8 and bad.score < 0.1


def test_more_sounds_than_frames_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match="needs 5 frames, the speech has 3"):
        place_units(heard([5, 6, 7]), [5, 5, 6, 7])
    with pytest.raises(UserError, match="no readable word"):
        place_units(heard([5, 6, 7]), [])
