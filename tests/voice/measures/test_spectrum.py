"""Bandwidth and hum, on real speech that was changed in a known way."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.voice.measures.signals import Wave, demo, fed, tone
from voice.audio import resample
from voice.measures.bandwidth import Bandwidth
from voice.measures.hum import Hum
from voice.measures.meter import NARROW_HZ


@cache
def speech(voice: str) -> tuple[Wave, int]:
    return demo(voice)


def rounded(wave: Wave) -> Wave:
    """As 16 bit, whose noise reaches all frequencies."""
    return (np.round(wave * 32768) / 32768).astype(np.float32)


@pytest.mark.parametrize("voice", ["demo_en", "demo_zh"])
@pytest.mark.parametrize("low", [8000, 11025, 16000])
def test_upsampled_audio_shows_its_first_rate(voice: str, low: int) -> None:
    wave, rate = speech(voice)
    raised = rounded(resample(resample(wave, rate, low), low, rate))
    found = fed(Bandwidth(rate), raised).hz()
    assert 0.92 * low / 2 <= found <= low / 2 + 125
    assert (found < NARROW_HZ) == (low < 16000)


@pytest.mark.parametrize("voice", ["demo_en", "demo_zh"])
def test_a_recording_of_full_width_has_it_also_at_a_higher_rate(voice: str) -> None:
    wave, rate = speech(voice)
    own = fed(Bandwidth(rate), wave).hz()
    assert own > 11000
    assert fed(Bandwidth(48000), rounded(resample(wave, rate, 48000))).hz() == pytest.approx(own, abs=400)


def test_still_noise_and_silence_hold_no_sound() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 48000).astype(np.float32)
    assert fed(Bandwidth(24000), noise).hz() == 0.0
    assert fed(Bandwidth(24000), np.zeros(48000, np.float32)).hz() == Bandwidth(24000).hz() == 0.0


@pytest.mark.parametrize("voice", ["demo_en", "demo_zh"])
def test_clean_speech_does_not_hum(voice: str) -> None:
    wave, rate = speech(voice)
    assert fed(Hum(rate), wave).found() == (0, 0.0)


@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("below_db", [20, 40])
def test_added_hum_is_found_and_told_apart(mains: int, below_db: int) -> None:
    wave, rate = speech("demo_en")
    level = float(np.sqrt(2 * np.square(wave).mean())) * 10 ** (-below_db / 20)
    seconds = len(wave) / rate
    pure = wave + tone(mains, rate, seconds, level)
    rectified = wave + sum(tone(mains * k, rate, seconds, level / k) for k in (2, 4, 6))
    for spoilt in (pure, rectified):
        hertz, over = fed(Hum(rate), spoilt.astype(np.float32)).found()
        assert hertz == mains and over > 20


@pytest.mark.parametrize("hertz", [45.0, 55.0, 73.0, 440.0])
def test_a_steady_tone_elsewhere_is_no_hum(hertz: float) -> None:
    wave, rate = speech("demo_en")
    assert fed(Hum(rate), wave + tone(hertz, rate, len(wave) / rate, 0.02)).found()[0] == 0


def test_a_short_clip_and_silence_are_not_judged() -> None:
    assert fed(Hum(24000), tone(50, 24000, 4.0)).found() == (0, 0.0)
    assert fed(Hum(24000), np.zeros(240000, np.float32)).found() == Hum(24000).found() == (0, 0.0)
