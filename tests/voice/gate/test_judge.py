"""The verdict: every fault has its reason, a good take has none, and figures are told with their limits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voice.gate.made import RATE, Hears, speech
from voice.gate import Clip, Expectation, Limits, Said, Verdict, judge
from voice.gate.judging import verdict
from voice.gate.limits import RULES
from voice.gate.scores import Scores

WORDS = [Said("down", (7, 4, 21)), Said("to", (31, 34)), Said("the", (9, 3)), Said("harbour", (16, 1, 29, 7, 12), True)]
UNITS = [unit for one in WORDS for unit in one.units]
EXPECTED = Expectation.of([Clip(speech(3.0), RATE, 3 * len(UNITS) // 2)])


def hear(wave: np.ndarray, said: list[int] | None = None, **more: object) -> Verdict:
    return judge(wave.astype(np.float32), RATE, WORDS, EXPECTED, Hears(said or UNITS), **more)  # type: ignore[arg-type]


def codes(found: Verdict) -> set[str]:
    return {reason.code for reason in found.reasons}


def test_a_good_take_has_no_reason_against_it() -> None:
    found = hear(speech())
    assert found.ok and found.reasons == () and found.ear == "hears" and found.rank[0] == 0
    assert {"skip", "cut", "twice", "swap", "other", "extra", "likeness", "pitch", "pace"} <= set(found.scores.figures)


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ([*UNITS[:3], *UNITS[7:]], "skipped", "to the"),
        (UNITS[:7], "cut_off", "harbour"),
        ([*UNITS[:7], *UNITS[5:]], "doubled", "the"),
        ([*UNITS[3:5], *UNITS[:3], *UNITS[5:]], "swapped", "down to"),
        ([*UNITS[:7], 50, 60, 51, 61, 52], "other_words", "harbour"),
        ([*UNITS[:3], 50, 60, 51, 61, *UNITS[3:]], "extra_words", "down"),
    ],
)
def test_wrong_words_are_named(said: list[int], code: str, words: str) -> None:
    found = hear(speech(), said)
    reason = next(one for one in found.reasons if one.code == code)
    assert reason.words == words and words in reason.told and reason.measured > reason.limit


def test_damaged_sound() -> None:
    wave = speech()
    draw = np.random.default_rng(0)
    hiss = draw.standard_normal(len(wave)) * np.sqrt(np.square(wave).mean() / 10**0.5)
    assert "clipped" in codes(hear(np.clip(wave / np.abs(wave).max() * 8, -1, 1)))
    assert "noisy" in codes(hear(wave + hiss))
    assert codes(hear(np.zeros(RATE))) == {"silent"}
    assert "no_room" in codes(hear(wave[:1600]))
    middle = len(wave) // 2
    assert "dead_air" in codes(hear(np.concatenate([wave[:middle], np.zeros(RATE), wave[middle:]])))
    assert "cut_off" in codes(hear(wave[: int(np.argmax(np.abs(wave))) + 400]))


def test_another_voice_and_another_pace() -> None:
    assert "other_voice" in codes(hear(speech(pitch=220.0)))
    assert codes(hear(speech(5.0))) >= {"too_long"}
    assert hear(speech(pitch=125.0)).ok


def test_a_take_that_did_not_end_fails_and_ranks_behind_one_that_did() -> None:
    good, runaway = hear(speech()), hear(speech(), ended=False)
    assert codes(runaway) == {"runaway"} and good.rank < runaway.rank


def test_limits_can_be_changed_and_verdicts_written_down() -> None:
    wave = np.clip(speech() / np.abs(speech()).max() * 8, -1, 1)
    lax = Limits({("clipped", "clipping"): 1.0})
    assert "clipped" not in codes(hear(wave, limits=lax))
    told = json.loads(json.dumps(hear(wave).to_dict(), allow_nan=False))
    assert told["ok"] is False and told["ear"] == "hears"
    assert {"code", "figure", "measured", "limit", "words", "told"} == set(told["reasons"][0])


def test_nothing_is_held_against_what_is_not_known() -> None:
    found = judge(speech(pitch=220.0), RATE, WORDS, Expectation(), Hears(UNITS))
    assert found.ok and "likeness" not in found.scores.figures and "pace" not in found.scores.figures


def test_a_line_without_a_sound_needs_only_to_be_audible() -> None:
    assert judge(speech(), RATE, [], EXPECTED, Hears(UNITS)).ok
    assert codes(judge(np.zeros(0, np.float32), RATE, WORDS, EXPECTED, Hears(UNITS))) == {"silent"}


@given(st.sampled_from(RULES), st.floats(-200, 200))
def test_each_rule_alone_decides(rule, value: float) -> None:  # type: ignore[no-untyped-def]
    found = verdict(Scores({rule.figure: value}), Limits(), "")
    broken = [one for one in RULES if one.figure == rule.figure and one.breaks(value)]
    assert [one.code for one in found.reasons] == [one.code for one in broken]
    assert all(reason.told and "{" not in reason.told for reason in found.reasons)
