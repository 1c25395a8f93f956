"""What was said in place of the text is found and named; a good take has nothing in favour of another wording."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from voice.gate.said import Said, told
from voice.gate.trellis import Trellis
from voice.gate.wording import findings

LABELS = 30
TEXT = [Said("the", (1, 2)), Said("harbour", (3, 4, 5, 6)), Said("was", (7, 8, 9)), Said("quiet", (10, 11, 12, 13))]
TEXT += [Said("at", (14, 15)), Said("night", (16, 17, 18), True)]


def heard(units: list[int]) -> NDArray[np.float64]:
    """An ear that is quite sure of `units`, two frames each and one of silence between them."""
    labels = [label for unit in units for label in (unit, unit, 0)]
    probs = np.full((len(labels) + 1, LABELS), 0.1 / LABELS)
    probs[np.arange(len(labels)), labels] += 0.9
    probs[-1, 0] += 0.9
    return np.asarray(np.log(probs))


def units_of(words: list[Said]) -> list[int]:
    return [unit for one in words for unit in one.units]


def kinds(said: list[int]) -> dict[str, tuple[float, str]]:
    found = findings(Trellis(heard(said), units_of(TEXT)), TEXT)
    return {kind: (one.nats, told(TEXT[one.start : one.end])) for kind, one in found.items()}


def test_the_text_itself_has_no_better_wording() -> None:
    assert all(nats < -5 for nats, _ in kinds(units_of(TEXT)).values())


@pytest.mark.parametrize("number", range(5))
def test_a_word_left_out(number: int) -> None:
    found = kinds(units_of(TEXT[:number] + TEXT[number + 1 :]))
    assert found["skip"] == (pytest.approx(found["skip"][0]), TEXT[number].word) and found["skip"][0] > 5
    assert found["twice"][0] < 0 and found["extra"][0] < 0


def test_an_end_that_is_missing() -> None:
    nats, words = kinds(units_of(TEXT[:4]))["cut"]
    assert nats > 10 and words == "at night"


@pytest.mark.parametrize("number", range(6))
def test_a_word_said_twice(number: int) -> None:
    found = kinds(units_of(TEXT[: number + 1] + TEXT[number:]))
    assert found["twice"][0] > 5 and found["twice"][1] == TEXT[number].word
    assert found["skip"][0] < 0


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (1, 3), (2, 5), (3, 4)])
def test_words_that_changed_places(one: int, other: int) -> None:
    order = list(TEXT)
    order[one], order[other] = order[other], order[one]
    nats, words = kinds(units_of(order))["swap"]
    assert nats > 10 and words == told(TEXT[one : other + 1])


def test_another_word_in_place_of_one() -> None:
    found = kinds(units_of([*TEXT[:3], Said("loud", (20, 21, 22, 23)), *TEXT[4:]]))
    assert found["other"][0] > 5 and found["other"][1] == "quiet"
    assert found["swap"][0] < 0 and found["twice"][0] < 0


def test_a_word_that_no_text_asked_for() -> None:
    found = kinds(units_of([*TEXT[:3], Said("very", (20, 21, 22, 23)), *TEXT[3:]]))
    assert found["extra"][0] > 3 and found["extra"][1] == "was"
    assert found["skip"][0] < 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 4))
def test_every_kind_has_a_finding_whose_words_are_in_the_text(seed: int, count: int) -> None:
    draw = np.random.default_rng(seed)
    logs = np.log(draw.dirichlet(np.ones(LABELS), 60))
    words = TEXT[:count]
    for one in findings(Trellis(logs, units_of(words)), words).values():
        assert 0 <= one.start <= one.end <= count
        assert one.nats == -np.inf or one.nats > -1e3
