from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voice.metrics.signals import frames
from voice.metrics.alignment import intended_score
from voice.metrics.phone_error import heard_units, phone_edits, phone_error_rate
from voice.text.units import CTC_UNITS, units_of

UNITS = st.lists(st.integers(1, 5), max_size=8)


def test_punctuation_tone_and_stress_make_no_unit_of_their_own() -> None:
    assert [CTC_UNITS[u] for u in units_of(["HH", "AH0", "L", "OW1", ","])] == ["HH", "AH", "L", "OW"]
    assert [CTC_UNITS[u] for u in units_of(["n", "i3", "h", "ao3", "。"])] == ["n", "i", "h", "ao"]


@pytest.mark.parametrize(
    ("path", "heard"),
    [([0, 3, 3, 0, 4], [3, 4]), ([3, 0, 3], [3, 3]), ([0, 0], []), ([7], [7])],
)
def test_decoding_merges_repeats_and_drops_blanks(path: list[int], heard: list[int]) -> None:
    assert heard_units(frames(path)) == heard


@pytest.mark.parametrize(
    ("heard", "meant", "edits"),
    [([1, 2, 3], [1, 2, 3], 0), ([1, 3], [1, 2, 3], 1), ([1, 9, 3], [1, 2, 3], 1), ([], [1, 2], 2), ([1, 2, 5], [], 3)],
)  # fmt: skip
def test_edits_count_insertions_deletions_and_substitutions(heard: list[int], meant: list[int], edits: int) -> None:
    assert phone_edits(heard, meant) == edits


@given(UNITS, UNITS)
def test_edits_are_symmetric_and_bounded_by_the_longer_one(a: list[int], b: list[int]) -> None:
    edits = phone_edits(a, b)
    assert edits == phone_edits(b, a) and abs(len(a) - len(b)) <= edits <= max(len(a), len(b))
    assert (edits == 0) == (a == b)


def test_the_rate_is_edits_per_meant_phone_and_needs_one() -> None:
    assert phone_error_rate(3, 4) == 0.75 and phone_error_rate(0, 9) == 0 and phone_error_rate(8, 4) == 2
    with pytest.raises(ValueError, match="without sounds"):
        phone_error_rate(0, 0)


def test_the_score_is_the_posterior_of_what_was_meant() -> None:
    said = frames([5, 0, 6, 0, 7], sure=0.9)
    assert intended_score(said, [5, 6, 7]) == pytest.approx(0.9, abs=1e-4)
    assert intended_score(said, [5, 9, 7]) < 0.65 and intended_score(said, [8, 9, 10]) < 0.01


def test_a_sound_too_short_for_its_phones_scores_zero() -> None:
    assert intended_score(frames([5, 6]), [5, 6, 7]) == 0.0
    assert intended_score(frames([5, 5]), [5, 5]) == 0.0  # equal units need a blank between them
    assert intended_score(frames([5, 0, 5]), [5, 5]) > 0.8
