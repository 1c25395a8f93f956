"""The level is reached, peaks stay below the ceiling, and the figures are those of whole-file meters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.mastering.sounds import RATE, babble, in_parts
from voice import levels as whole
from voice.errors import UserError
from voice.levels import FLOOR_DB
from voice.mastering.acx import acx_report
from voice.mastering.limiter import Limiter
from voice.mastering.loudness import TARGETS, find_target, levels, master


@pytest.mark.parametrize("rate", [8000, 24000, 44100])
def test_streamed_loudness_equals_that_of_pyloudnorm_in_blocks_of_any_size(rate: int) -> None:
    wave = babble(12, rate)
    expected = whole.loudness(wave, rate)
    for size in (997, 40000, len(wave)):
        found = levels(in_parts(wave, size), rate)
        assert found.lufs == pytest.approx(expected, abs=0.1)
        assert found.peak_db == pytest.approx(whole.peak_db(wave), abs=0.01)
    assert found.true_peak_db >= found.peak_db
    assert found.seconds == 12


def test_the_figures_of_a_sine_are_those_of_the_textbook() -> None:
    sine = 0.5 * np.sin(2 * np.pi * 997 * np.arange(5 * 48000) / 48000)
    found = levels([sine.astype(np.float32)], 48000)
    assert found.lufs == pytest.approx(-9.03, abs=0.1)
    assert found.rms_db == pytest.approx(-9.03, abs=0.01)
    assert found.peak_db == pytest.approx(-6.02, abs=0.01)


def test_int16_and_float_measure_the_same_and_silence_has_finite_figures() -> None:
    wave = (babble(3) * 32767).astype(np.int16)
    assert levels([wave], RATE) == levels([wave.astype(np.float32) / 32768], RATE)
    silent = levels([np.zeros(RATE, np.int16)], RATE)
    assert silent.lufs == silent.rms_db == silent.true_peak_db == FLOOR_DB
    assert levels([], RATE).seconds == 0


@pytest.mark.parametrize("name", list(TARGETS))
@pytest.mark.parametrize("level", [0.004, 0.1, 1.4])
def test_every_target_is_reached_from_quiet_and_from_loud(name: str, level: float) -> None:
    wave, target = babble(10, level=level), TARGETS[name]
    plan = master(lambda: in_parts(wave, 5000), RATE, target)
    out = np.concatenate(list(plan.apply(in_parts(wave, 7001), RATE)))
    after = levels([out], RATE)
    assert len(out) == len(wave)
    assert (after.rms_db if target.by == "rms" else after.lufs) == pytest.approx(target.level, abs=0.15)
    assert after.true_peak_db <= target.ceiling_db + 0.01
    assert plan.after.lufs == pytest.approx(after.lufs, abs=0.02)
    assert plan.limits == (plan.limited_seconds > 0) == (plan.limited_db > 0)


def test_one_pass_and_plain_gain_where_no_peak_is_in_the_way() -> None:
    wave, passes = babble(5, level=0.05), []
    plan = master(lambda: passes.append(1) or [wave], RATE, TARGETS["r128-23"])
    assert len(passes) == 1 and not plan.limits
    out = np.concatenate(list(plan.apply([wave], RATE)))
    np.testing.assert_allclose(out, wave * 10 ** (plan.gain_db / 20), rtol=1e-5)


def test_the_same_samples_come_out_whatever_the_blocks() -> None:
    wave = babble(8, level=1.0)
    plans = [master(lambda size=size: in_parts(wave, size), RATE, TARGETS["r128-16"]) for size in (333, 100_000)]
    assert plans[0] == plans[1] and plans[0].limits
    one, other = (np.concatenate(list(plans[0].apply(in_parts(wave, size), RATE))) for size in (501, 70_000))
    np.testing.assert_array_equal(one, other)


def test_silence_is_left_alone() -> None:
    wave = np.zeros(RATE, np.float32)
    plan = master(lambda: [wave], RATE, TARGETS["r128-16"])
    assert plan.gain_db == 0.0 and not np.concatenate(list(plan.apply([wave], RATE))).any()


def test_an_unknown_target_names_the_known_ones() -> None:
    with pytest.raises(UserError, match="r128-16"):
        find_target("loud")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 4000), st.integers(1, 1500), st.floats(-20, 12))
def test_the_limiter_keeps_the_length_and_no_sample_is_above(seed: int, count: int, size: int, level: float) -> None:
    wave = np.random.default_rng(seed).normal(0, 10 ** (level / 20), count).astype(np.float32)
    limiter = Limiter(8000, -1.0)
    out = np.concatenate([*(limiter.process(part) for part in in_parts(wave, size)), limiter.flush()])
    assert len(out) == count
    assert np.abs(out).max() <= 10 ** (-1.0 / 20)
    assert (np.abs(out) <= np.abs(wave) + 1e-7).all() and (out * wave >= 0).all()


def test_the_limiter_leaves_alone_what_is_far_from_a_peak() -> None:
    wave = babble(2, level=0.05)
    wave[RATE : RATE + 3] = 1.5
    limiter = Limiter(RATE, -1.0)
    out = np.concatenate([limiter.process(wave), limiter.flush()])
    far = np.r_[0 : RATE - 1000, RATE + 1000 : 2 * RATE]
    np.testing.assert_allclose(out[far], wave[far], atol=1e-6)
    assert 0 < limiter.seconds < 0.03 and 4.0 < limiter.most_db < 7.0


def test_acx_passes_a_good_file_and_names_each_broken_rule() -> None:
    good = babble(8)
    plan = master(lambda: [good], RATE, TARGETS["acx"])
    assert acx_report(plan.apply([good], RATE), RATE).ok
    steady = np.random.default_rng(0).normal(0, 0.3, 4 * RATE).astype(np.float32)  # loud, peaks, never quiet
    report = acx_report(in_parts(steady, 1000), RATE)
    assert [rule.name for rule in report.rules if not rule.ok] == ["rms", "peak", "noise_floor"]
    quiet = acx_report([steady / 30], RATE)
    assert [rule.name for rule in quiet.rules if not rule.ok] == ["rms", "noise_floor"]
    assert quiet.to_dict()["ok"] is False and quiet.to_dict()["rules"][1]["ok"] is True


def test_the_noise_floor_is_that_of_the_quietest_half_second() -> None:
    rng = np.random.default_rng(1)
    room = rng.normal(0, 10 ** (-65 / 20), RATE)
    wave = np.concatenate([rng.normal(0, 0.1, 2 * RATE), room, rng.normal(0, 0.1, RATE)]).astype(np.float32)
    floor = acx_report([wave], RATE).rules[2]
    assert floor.value == pytest.approx(-65.0, abs=0.2) and floor.ok
    assert acx_report([wave[:1000]], RATE).rules[2].value == pytest.approx(-20, abs=0.5)
