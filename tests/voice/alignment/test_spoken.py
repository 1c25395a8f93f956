from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.alignment.frames import english, heard, said
from voice.alignment.evidence import quieten, weigh
from voice.alignment.spoken import Sound, Spoken, align_words, dump, restore, weigh_words
from voice.alignment.times import word_times
from voice.alignment.verdict import Bounds, decided, fault
from voice.edits import Decision, make_edit
from voice.errors import UserError
from voice.text import read_text

BOUNDS = Bounds(0.15, 1.0, 0.08, 3.0, 25.0, 1.0)
TEXT = "The harbour was quiet when the boats came home."
OTHER = "Seven children played beside the old stone wall."


def sound(text: str, start: float = 0.0, sure: float = 0.9) -> Sound:
    frames = [0, *said(english(text))]
    level = np.repeat(np.where(np.array(frames) > 0, -20.0, -90.0), 2).astype(np.float32)
    return Sound(heard(frames, sure), level, start, start + len(frames) * 0.02)


def test_the_right_text_is_borne_out_and_another_is_not() -> None:
    one = sound(TEXT, sure=0.5)
    right = weigh(one.log_probs, [word.units for word in english(TEXT)])
    wrong = weigh(one.log_probs, [word.units for word in english(OTHER)])
    assert right.score > 0.95 and right.contrast > 1.0 and right.unexplained == 0.0
    assert wrong.score < 0.15 and wrong.contrast < 0.7


def test_a_part_that_is_wrong_shows_in_the_weakest_stretch() -> None:
    half = weigh(
        sound(TEXT + " " + OTHER).log_probs, [w.units for w in english(TEXT + " Green ideas sleep at night so.")]
    )
    assert half.weakest < 0.05 < half.score


def test_speech_without_words_is_unexplained() -> None:
    found = weigh(heard([*said(english(TEXT)), *[0] * 10, *[40, 40, 41, 41] * 15]), [w.units for w in english(TEXT)])
    assert found.unexplained > 0.7


def test_more_words_than_frames_give_no_evidence() -> None:
    spoken = weigh_words(Sound(heard([0, 5, 0]), np.zeros(6, np.float32), 0, 0.06), english(TEXT), range(9))
    assert spoken.words == list(range(9)) and spoken.times == [] and fault(spoken, None, 9.0, BOUNDS) is not None
    with pytest.raises(UserError, match="needs"):
        weigh(heard([0, 5, 0]), [w.units for w in english(TEXT)])


def test_a_word_outside_the_times_of_its_line_is_left_out() -> None:
    words = english(TEXT) + english(OTHER)
    lines = [0] * len(english(TEXT)) + [1] * len(english(OTHER))
    first = sound(TEXT)
    both = [first, sound(OTHER, first.end)]
    free = align_words(both, words, lines, [None] * len(words))
    assert [len(one.words) for one in free] == [len(english(TEXT)), len(english(OTHER))]
    far = [None] * len(english(TEXT)) + [(100.0, 103.0)] * len(english(OTHER))
    assert [len(one.words) for one in align_words(both, words, lines, far)] == [len(english(TEXT)), 0]


def test_what_is_said_comes_back_from_the_cache_as_it_was() -> None:
    words = english(TEXT)
    spoken = align_words([sound(TEXT)], words, [0] * len(words), [None] * len(words))
    assert restore(dump(spoken)) == spoken


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.6), st.floats(0.02, 0.4)), max_size=12), st.integers(0, 10**6))
def test_word_times_keep_their_order_and_stay_inside(gaps: list[tuple[float, float]], seed: int) -> None:
    spans, at = [], 0.0
    for pause, length in gaps:
        spans.append((at + pause, at + pause + length))
        at += pause + length
    level = np.random.default_rng(seed).uniform(-100, 0, size=round(at * 100) + 20).astype(np.float32)
    found = word_times(spans, level)
    flat = [t for span in found for t in span]
    assert len(found) == len(spans) and flat == sorted(flat)
    assert all(0 <= t <= len(level) * 0.01 + 1e-6 for t in flat)


def test_words_reach_into_a_pause_as_far_as_the_sound_and_meet_in_a_short_gap() -> None:
    level = np.full(100, -90.0, np.float32)
    level[8:25], level[60:90] = -20.0, -20.0
    assert word_times([(0.12, 0.2), (0.64, 0.8), (0.82, 0.86)], level) == [(0.08, 0.25), (0.6, 0.81), (0.81, 0.9)]


def spoken(**changes: object) -> Spoken:
    good = {"words": [0, 1], "times": [(0.1, 0.4, 0.9), (0.4, 0.8, 0.9)], "score": 0.6, "contrast": 3.0, "weakest": 0.4}
    return Spoken(**(good | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "rate", "reason"),
    [
        ({}, 10.0, None),
        ({"words": [], "times": []}, 10.0, "no_words"),
        ({"times": []}, 10.0, "no_room"),
        ({"passed": 3}, 10.0, "jump"),
        ({"passed": 2}, 10.0, None),
        ({"torn": True}, 10.0, "part_of_line"),
        ({}, 30.0, "too_fast"),
        ({}, 2.0, "too_slow"),
        ({"unexplained": 1.2}, 10.0, "untranscribed"),
        ({"score": 0.1}, 10.0, "low_score"),
        ({"contrast": 0.5}, 10.0, "low_contrast"),
        ({"weakest": 0.05}, 10.0, "weak_part"),
    ],
)
def test_every_reason_has_its_bound(changes: dict[str, object], rate: float, reason: str | None) -> None:
    found = fault(spoken(**changes), read_text(TEXT, "en"), rate, BOUNDS)
    assert (found[0] if found else None) == reason
    assert found is None or found[1]


def test_a_reviewer_has_the_last_word_but_cannot_make_words() -> None:
    when = {"recording": "r", "start": 0.0, "end": 2.0, "who": "Ana", "when": "2026-01-31T12:00:00", "why": "cough"}
    reject = Decision(rejected=make_edit(action="reject", **when))
    accept = Decision(accepted=make_edit(action="accept", **when))
    assert decided(None, None) is None and decided(("low_score", "x"), None) == ("low_score", "x")
    assert decided(None, reject) == ("reviewer", "rejected by Ana on 2026-01-31: cough")
    assert decided(("low_score", "x"), accept) is None
    assert decided(("no_words", "x"), accept) == ("no_words", "x")


def test_quieter_silence_lets_more_be_heard() -> None:
    calm = heard([0, 0, 7]).exp()
    calm[0, 5] += 0.2
    quiet = quieten(calm.log_softmax(-1), 3.0)
    assert quiet[0].argmax() == 5 and quiet[2].argmax() == 7
    assert quiet.exp().sum(-1).tolist() == pytest.approx([1.0, 1.0, 1.0], abs=1e-5)
