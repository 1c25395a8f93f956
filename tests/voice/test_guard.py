"""The guard hears what a take left out, said twice or drew out, and leaves sound takes alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.guard import EXTRA, LOST, Guard, Verdict, edits, most_together
from voice.metrics.phone_error import nats_of, phone_edits
from voice.nets.content_frames import HOP, RATE, PhoneRecogniser
from voice.text.units import CTC_UNITS, unit_of, units_of

PHONES = ["DH", "AH0", "HH", "AA1", "R", "B", "ER0", "W", "AA1", "Z", "K", "W", "AY1", "AH0", "T", "."]
UNITS = st.lists(st.integers(1, 6), max_size=12)


class Said(PhoneRecogniser):
    """An ear that hears given units, evenly spread over the sound."""

    kind = "said"

    def __init__(self, units: list[int]) -> None:
        super().__init__(None)
        self.units = units

    def features(self, wav: torch.Tensor, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        raise AssertionError("the guard asks for log probabilities alone")

    def features_and_log_probs(
        self, wav: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        count = wav.shape[1] // HOP
        logs = torch.full((1, count, len(CTC_UNITS)), -20.0)
        logs[..., 0] = -1.0
        for number, unit in enumerate(self.units):  # a blank between two: repeats count twice
            logs[0, (2 * number + 1) * count // (2 * len(self.units) + 1), unit] = 0.0
        return logs, logs, torch.tensor([count])


def _hear(heard: list[int], seconds: float = 1.5, ended: bool = True) -> tuple[str, ...]:
    return Guard(Said(heard)).hear(np.zeros(int(seconds * RATE), np.float32), RATE, PHONES, ended).problems


def test_a_true_take_has_no_problem() -> None:
    assert _hear(units_of(PHONES)) == ()


@pytest.mark.parametrize("first", range(0, 15 - LOST))
def test_a_word_left_out_is_heard(first: int) -> None:
    units = units_of(PHONES)
    problems = _hear(units[:first] + units[first + LOST + 1 :])
    assert any("left out" in problem for problem in problems)


@pytest.mark.parametrize("first", range(0, 15 - EXTRA))
def test_a_word_said_twice_is_heard(first: int) -> None:
    units = units_of(PHONES)
    again = units[: first + EXTRA + 1] + units[first:]
    assert any("besides" in problem for problem in _hear(again, 2.0))


def test_one_wrong_sound_is_no_problem() -> None:
    units = units_of(PHONES)
    units[4] = unit_of("ZH") or 0
    assert _hear(units) == ()
    assert _hear(units[:7] + units[8:]) == ()


def test_drawn_out_hurried_and_endless_takes_are_told() -> None:
    units = units_of(PHONES)
    assert any("a second" in problem for problem in _hear(units, 12.0))
    assert any("a second" in problem for problem in _hear(units, 0.4))
    assert "did not end by itself" in _hear(units, ended=False)
    assert _hear(units, 0.01) == ("too short to hear",)


def test_fewer_problems_rank_first_and_then_fewer_errors() -> None:
    units, silent = units_of(PHONES), np.zeros(int(1.5 * RATE), np.float32)
    whole, wrong, short = (
        Guard(Said(heard)).hear(silent, RATE, PHONES)
        for heard in (units, [*units[:4], unit_of("ZH") or 0, *units[5:]], units[:8])
    )
    assert whole.rank < wrong.rank < short.rank and whole.error == 0 and wrong.error == pytest.approx(1 / len(units))


@settings(max_examples=200, deadline=None)
@given(UNITS, UNITS)
def test_edits_are_fewest_and_lead_from_one_to_the_other(meant: list[int], heard: list[int]) -> None:
    steps, left, made = edits(meant, heard), list(meant), list(heard)
    assert sum(step != "keep" for step in steps) == phone_edits(heard, meant)
    for step in steps:
        if step != "insert":
            unit = left.pop(0)
        if step != "delete":
            other = made.pop(0)
        if step in ("keep", "swap"):
            assert (unit == other) == (step == "keep")
    assert not left and not made


def test_only_what_is_close_counts_together() -> None:
    steps = ["delete", "delete", "keep", "delete", *["keep"] * 5, "delete"]
    assert most_together(steps, "delete", 4) == 3 and most_together(steps, "delete", 2) == 2
    assert most_together(["keep"], "delete", 3) == 0 and most_together([], "delete", 3) == 0


def test_of_equal_errors_the_likelier_sound_ranks_first() -> None:
    units = units_of(PHONES)
    logs = torch.full((3 * len(units), len(CTC_UNITS)), -9.0)
    logs[:, 0] = -2.0
    for number, unit in enumerate(units):
        logs[3 * number + 1, unit] = 0.0
    sure = nats_of(logs, units)
    logs[4, units[1]] = -1.5
    assert sure < nats_of(logs, units) < nats_of(logs, [*units, unit_of("ZH") or 0])
    assert nats_of(logs[:3], units) == float("inf")
    assert Verdict((), 0.2, 1.0).rank < Verdict((), 0.1, 1.5).rank < Verdict(("left out",), 0.0, 0.5).rank
