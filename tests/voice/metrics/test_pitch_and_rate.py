from __future__ import annotations

import numpy as np
import pytest

from tests.voice.metrics.signals import RATE, noise, silence, tone
from voice.metrics.pitch import pitch
from voice.metrics.rate import phones_per_second, speech_seconds


@pytest.mark.parametrize("hz", [95.0, 220.0, 330.0])
def test_the_f0_of_a_tone_is_found_within_one_percent(hz: float) -> None:
    found = pitch(tone(hz), RATE)
    assert found.median == pytest.approx(hz, rel=0.01)
    assert found.voiced_share > 0.95 and found.spread is not None and found.spread < 0.02 * hz


def test_two_tones_give_a_spread_between_them() -> None:
    found = pitch(np.concatenate([tone(150), tone(250)]), RATE)
    assert found.spread == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("seconds", [1.0, 0.01])
def test_silence_has_no_f0(seconds: float) -> None:
    found = pitch(silence(seconds), RATE)
    assert found.median is None and found.spread is None and found.voiced_share == 0.0


def test_noise_is_mostly_unvoiced() -> None:
    assert pitch(noise(2.0), RATE).voiced_share < 0.4


def test_silence_at_the_ends_is_no_speech_but_a_pause_inside_is() -> None:
    parts = [silence(0.5), tone(200, 0.4), silence(0.2), tone(200, 0.4), silence(0.7)]
    assert speech_seconds(np.concatenate(parts), RATE) == pytest.approx(1.0, abs=0.021)
    faint = 10 ** (-60 / 20) * noise(0.5, level=0.3)
    assert speech_seconds(np.concatenate([faint, tone(200, 0.4)]), RATE) == pytest.approx(0.4, abs=0.021)


def test_silence_has_no_speech_and_no_rate() -> None:
    assert speech_seconds(silence(), RATE) == 0.0 and speech_seconds(silence(0.001), RATE) == 0.0
    assert phones_per_second(12, 0.0) == 0.0 and phones_per_second(24, 2.0) == 12.0
