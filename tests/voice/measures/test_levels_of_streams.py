"""Levels measured block by block: they equal the measures of the whole, wherever the blocks end."""

from __future__ import annotations

import warnings

import numpy as np
import pyloudnorm
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.voice.measures.signals import demo, fed, pieces, tone
from voice.levels import FLOOR_DB, clipping_runs, snr_db
from voice.measures.loudness import Loudness
from voice.measures.noise import Snr
from voice.measures.peaks import TAPS, Clipping, TruePeak, between_samples
from voice.measures.windows import Windows

RATES = [8000, 11025, 16000, 22050, 24000, 44100, 48000, 96000]


@settings(max_examples=40, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    seconds=st.floats(0.41, 8.0),
    seed=st.integers(0, 10**6),
    level_db=st.floats(-55.0, 0.0),
    pause=st.floats(0.0, 0.9),
)
@example(rate=11025, seconds=1.0605, seed=1, level_db=-20.0, pause=0.5)
@example(rate=8000, seconds=0.45, seed=1, level_db=0.0, pause=0.0)
def test_loudness_equals_pyloudnorm(rate: int, seconds: float, seed: int, level_db: float, pause: float) -> None:
    rng = np.random.default_rng(seed)
    wave = rng.normal(0, 0.2, round(rate * seconds))
    wave[: round(len(wave) * pause)] *= 10.0 ** rng.uniform(-4, 0)  # so that the gates have something to do
    wave = (wave * 10.0 ** (level_db / 20)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = pyloudnorm.Meter(rate).integrated_loudness(wave.astype(np.float64))
    found = fed(Loudness(rate), wave, seed).lufs()
    assert found == pytest.approx(wanted if np.isfinite(wanted) else FLOOR_DB, abs=0.05)


def test_silence_and_a_blink_have_no_loudness() -> None:
    assert Loudness(24000).lufs() == FLOOR_DB
    assert fed(Loudness(24000), np.zeros(48000, np.float32)).lufs() == FLOOR_DB
    assert fed(Loudness(24000), tone(997, 24000, 0.39)).lufs() == FLOOR_DB


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 50), hop=st.integers(1, 50), length=st.integers(0, 400), seed=st.integers(0, 99))
def test_windows_of_pieces_are_those_of_the_whole(size: int, hop: int, length: int, seed: int) -> None:
    hop = min(hop, size)
    wave = np.arange(length, dtype=np.float32)
    windows = Windows(size, hop)
    found = [row.tolist() for piece in pieces(wave, seed=seed, longest=60) for row in windows.add(piece)]
    assert found == [wave[at : at + size].tolist() for at in range(0, length - size + 1, hop)]


@pytest.mark.parametrize("rate", [16000, 24000, 48000])
@pytest.mark.parametrize("part", [4, 5.6, 7.3])
def test_the_true_peak_of_a_sine_between_its_samples_is_found(rate: int, part: float) -> None:
    """At a quarter of the rate, half a step off, all samples lie 3 dB under the peak of the wave."""
    wave = tone(rate / part, rate, 1.0, level=0.5, phase=np.pi / part)
    ends = np.minimum(1.0, np.minimum(np.arange(rate), np.arange(rate)[::-1]) / (0.1 * rate))  # a start rings
    meter = fed(TruePeak(), (wave * ends).astype(np.float32))
    assert meter.true_peak_db() == pytest.approx(-6.02, abs=0.35)
    if part == 4:
        assert meter.peak_db() == pytest.approx(-9.03, abs=0.05)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(0, 400))
def test_peaks_do_not_depend_on_where_blocks_end(seed: int, cut: int) -> None:
    wave = np.random.default_rng(seed).uniform(-1, 1, 400).astype(np.float32)
    whole, parts = TruePeak(), TruePeak()
    whole.add(wave)
    parts.add(wave[:cut])
    parts.add(wave[cut:])
    assert whole.peak_db() == parts.peak_db() and whole.true_peak_db() == parts.true_peak_db() >= whole.peak_db()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), length=st.integers(TAPS, 700), above=st.floats(0, 2))
def test_what_may_be_above_a_level_is_computed_and_the_rest_is_below(seed: int, length: int, above: float) -> None:
    rng = np.random.default_rng(seed)
    wave = (rng.uniform(-1, 1, length) * np.repeat(rng.uniform(0, 1, length // 50 + 1), 50)[:length]).astype(np.float32)
    everywhere = between_samples(wave, -1.0)
    found = between_samples(wave, above)
    assert len(found) == length - TAPS + 1
    computed = found > 0
    assert np.array_equal(found[computed], everywhere[computed])
    assert (everywhere[~computed] <= above).all()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0, -1.0, -1.0]), max_size=60),
    st.integers(0, 99),
    st.sampled_from([1, 2, 3, 5]),
)
def test_clipped_runs_of_pieces_are_those_of_the_whole(values: list[float], seed: int, shortest: int) -> None:
    wave = np.array(values, dtype=np.float32)
    meter = Clipping(2, shortest)
    for piece in pieces(wave, seed=seed, longest=7):
        meter.add(np.stack([piece, 0.5 * piece], axis=1))
    assert meter.runs.tolist() == [clipping_runs(wave, shortest), 0]


def test_the_snr_of_a_stream_is_that_of_the_whole() -> None:
    wave, rate = demo(seconds=10)
    assert fed(Snr(rate), wave).snr_db() == pytest.approx(snr_db(wave, rate), abs=1e-9)
    assert Snr(rate).snr_db() == 0.0
