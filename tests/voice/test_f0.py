"""F0 track: right on tones and glides, silent on noise and silence, length and alignment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.f0 import f0_track

RATE, HOP = 24000, 240


def voice_like(f0: np.ndarray) -> np.ndarray:
    """Ten harmonics with falling size along an F0 of one value a sample."""
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    return sum(np.sin(k * phase) / k for k in range(1, 11)).astype(np.float32) * 0.1


@settings(max_examples=20, deadline=None)
@given(pitch=st.floats(70, 420))
def test_steady_tones(pitch: float) -> None:
    track = f0_track(voice_like(np.full(RATE, pitch)), RATE, HOP)
    inner = track[5:-5]
    assert len(track) == 100
    assert (np.abs(inner / pitch - 1) < 0.02).all()


def test_a_glide_is_followed_in_time() -> None:
    f0 = np.linspace(120, 200, RATE)
    track = f0_track(voice_like(f0), RATE, HOP)[5:-5]
    assert np.abs(track - f0[HOP // 2 :: HOP][5:-5]).max() < 5


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_hardly_ever_voiced(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, RATE).astype(np.float32)
    assert (f0_track(noise, RATE, HOP) > 0).mean() < 0.05


def test_quiet_parts_are_unvoiced() -> None:
    wave = voice_like(np.full(RATE, 150.0))
    wave[RATE // 2 :] *= 1e-3
    track = f0_track(wave, RATE, HOP)
    assert (track[5:45] > 0).all() and (track[60:] == 0).all()


@pytest.mark.parametrize("size", [0, 100, 240, 500, 2401])
def test_short_and_silent_audio(size: int) -> None:
    assert f0_track(np.zeros(size, dtype=np.float32), RATE, HOP).tolist() == [0.0] * (size // HOP)
    loud = np.ones(size, dtype=np.float32)
    assert len(f0_track(loud, RATE, HOP)) == size // HOP and np.isfinite(f0_track(loud, RATE, HOP)).all()
