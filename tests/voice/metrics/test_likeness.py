from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.voice.metrics.signals import RATE, noise, silence, tone
from voice.metrics.speaker import average_spectrum, correlation, cosine, voice_vector
from voice.metrics.spectral import mel_distance_db
from voice.nets.acoustic import Acoustic, AcousticConfig


@pytest.fixture(scope="module")
def acoustic() -> Acoustic:
    torch.manual_seed(0)
    sizes = {"content": 16, "codes": 8, "inter": 8, "hidden": 16, "filters": 16, "mrte": 16, "gin": 16}
    decoder = {"channels": 16, "blocks": [1, 1], "n_fft": 1024}
    return Acoustic(AcousticConfig(decoder="istft", **sizes, decoder_options=decoder)).eval()


def test_a_vector_points_where_it_points_and_zero_nowhere() -> None:
    a, b = np.array([3.0, 4.0]), np.array([4.0, -3.0])
    assert cosine(a, 7 * a) == pytest.approx(1) and cosine(a, -a) == pytest.approx(-1)
    assert cosine(a, b) == pytest.approx(0) and cosine(a, np.zeros(2)) == 0


def test_the_same_sound_has_the_same_voice_at_any_rate(acoustic: Acoustic) -> None:
    low = tone(120, 2.0)
    vector = voice_vector(acoustic, low, RATE)
    assert vector.shape == (16,)
    assert cosine(vector, voice_vector(acoustic, low.copy(), RATE)) == pytest.approx(1)
    other_rate = voice_vector(acoustic, tone(120, 2.0, rate=48000), 48000)
    assert cosine(vector, other_rate) > 0.999
    assert cosine(vector, voice_vector(acoustic, noise(2.0), RATE)) < cosine(vector, other_rate)


def test_timbre_ignores_loudness_and_tells_a_tone_from_noise() -> None:
    low, quiet = average_spectrum(tone(120), RATE), average_spectrum(tone(120, level=0.1), RATE)
    assert correlation(low, quiet) > 0.97
    assert correlation(low, average_spectrum(noise(), RATE)) < 0.5


def test_a_flat_spectrum_has_no_timbre() -> None:
    flat = average_spectrum(silence(), RATE)
    assert correlation(flat, average_spectrum(tone(120), RATE)) == 0.0


def test_distance_is_zero_to_itself_and_the_gain_in_db_otherwise() -> None:
    wave = noise(1.0)
    assert mel_distance_db(wave, wave, RATE) == 0.0
    assert mel_distance_db(wave, wave / 2, RATE) == pytest.approx(6.02, abs=0.01)
    assert mel_distance_db(wave, wave[:-5000], RATE) < 0.5  # the longer one is cut; one window sees the edge
    with pytest.raises(ValueError, match="less than one window"):
        mel_distance_db(wave[:500], wave, RATE)
