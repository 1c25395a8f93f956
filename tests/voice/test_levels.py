from __future__ import annotations

import numpy as np
import pytest

from voice.levels import FLOOR_DB, clipping_runs, gain_db, loudness, peak_db, snr_db

RATE = 16000


def test_a_full_scale_sine_of_997_hz_measures_minus_3_lufs() -> None:
    """BS.1770: a 0 dBFS sine at 997 Hz in one channel reads -3.01 LUFS."""
    wave = np.sin(2 * np.pi * 997 * np.arange(5 * 48000) / 48000).astype(np.float32)
    assert loudness(wave, 48000) == pytest.approx(-3.01, abs=0.1)
    assert peak_db(wave) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("true_db", [10.0, 20.0, 40.0])
def test_the_snr_of_bursts_in_noise_is_found_within_3_db(true_db: float) -> None:
    rng = np.random.default_rng(1)
    on = np.repeat(np.arange(20) % 2, RATE // 2)
    speech = rng.normal(0, 0.1, on.size) * on
    noise = rng.normal(0, 0.1 * 10 ** (-true_db / 20), on.size)
    assert snr_db((speech + noise).astype(np.float32), RATE) == pytest.approx(true_db, abs=3.0)


def test_clipping_counts_runs_of_three_and_not_single_peaks() -> None:
    wave = np.zeros(100, dtype=np.float32)
    wave[10] = 1.0
    wave[20:24] = 1.0
    wave[30:33] = -1.0
    wave[40:42] = 1.0
    assert clipping_runs(wave) == 2


def test_silence_and_a_blink_of_sound_give_finite_figures() -> None:
    silent = np.zeros(RATE, dtype=np.float32)
    assert peak_db(silent) == loudness(silent, RATE) == FLOOR_DB and snr_db(silent, RATE) == 0.0
    assert loudness(np.ones(100, dtype=np.float32), RATE) == FLOOR_DB


def test_the_gain_reaches_the_loudness_unless_the_peak_forbids_it() -> None:
    assert gain_db(-30.0, -20.0, target_lufs=-20.0, ceiling_db=-1.0) == 10.0
    assert gain_db(-30.0, -3.0, target_lufs=-20.0, ceiling_db=-1.0) == 2.0
    assert peak_db(np.zeros(0, dtype=np.float32)) == FLOOR_DB
