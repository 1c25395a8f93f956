"""Clipping, dead air, ends and noise of made-up sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.voice.gate.made import speech
from voice.gate.sound import RATE, Level, fill_db, flat_share

Wave = NDArray[np.float32]


def test_clipping_is_told_from_a_loud_take() -> None:
    wave = speech()
    loud = (wave / np.abs(wave).max()).astype(np.float32)
    assert flat_share(loud) == 0.0
    assert flat_share(np.clip(loud * 8, -1, 1)) > 0.01
    assert flat_share(np.clip(loud * 8, -1, 1) * np.float32(0.3)) > 0.01  # made quieter afterwards
    assert flat_share(np.zeros(100, np.float32)) == 0.0


def test_dead_air_is_found_where_it_is() -> None:
    wave = speech()
    middle = len(wave) // 2
    level = Level.of(np.concatenate([wave[:middle], np.zeros(RATE, np.float32), wave[middle:]]))
    start, end = level.silences()[0]
    assert end - start == pytest.approx(1.0, abs=0.15) and start == pytest.approx(middle / RATE, abs=0.1)
    quiet = Level.of(np.concatenate([np.zeros(RATE, np.float32), wave, np.zeros(RATE, np.float32)]))
    assert all(b - a < 0.5 for a, b in quiet.silences())
    assert quiet.speech() == pytest.approx(len(wave) / RATE, abs=0.2)


def test_an_end_in_the_middle_of_a_sound_is_loud() -> None:
    wave = speech()
    assert Level.of(wave).end() < -20
    loud = int(np.argmax(np.abs(wave)))
    assert Level.of(wave[: loud + 400]).end() > -10


@pytest.mark.parametrize("burst", [False, True])
def test_noise_fills_the_spectrum(burst: bool) -> None:
    wave = speech()
    hiss = np.random.default_rng(0).standard_normal(len(wave)).astype(np.float32)
    hiss *= np.float32(np.sqrt(np.square(wave).mean() / np.square(hiss).mean() / 10**0.5))
    if burst:
        hiss[: len(hiss) // 2] = 0
        hiss[len(hiss) // 2 + RATE // 2 :] = 0
    assert fill_db(wave + hiss) > fill_db(wave) + 8


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 4.0))
def test_loudness_alone_changes_nothing(gain: float) -> None:
    wave = speech()
    other = (wave * np.float32(gain)).astype(np.float32)
    assert fill_db(other) == pytest.approx(fill_db(wave), abs=0.1)
    assert Level.of(other).end() == pytest.approx(Level.of(wave).end(), abs=0.1)


def test_too_short_for_anything() -> None:
    nothing = np.zeros(0, np.float32)
    assert fill_db(nothing) == -120 and Level.of(nothing).silences() == [] and Level.of(nothing).speech() == 0.0
    assert flat_share(nothing) == 0.0
