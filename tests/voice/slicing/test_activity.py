from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.slicing import voices
from voice.audio import read_audio, resample, write_flac
from voice.slicing.activity import Heard, Sensitivity, close, floor, listen, runs, speech
from voice.slicing.detectors import detector

HOW = Sensitivity()
FLAGS = st.lists(st.tuples(st.booleans(), st.integers(1, 300)), min_size=1, max_size=20)


def flags_of(sizes: list[tuple[bool, int]]) -> np.ndarray:
    return np.concatenate([np.full(size, on) for on, size in sizes])


def heard_of(level: np.ndarray, flags: np.ndarray) -> Heard:
    return Heard(level.astype(np.float32), flags, len(level) * 160, 16000, 1.0)


def heard_at(folder: Path, wave: np.ndarray, rate: int = voices.RATE) -> Heard:
    write_flac(folder / "sound.flac", wave.astype(np.float32), rate)
    return listen(folder / "sound.flac", detector("webrtc", 2, 0.5))


@settings(max_examples=100, deadline=None)
@given(sizes=FLAGS, gap=st.integers(0, 40))
def test_only_gaps_that_are_short_are_closed(sizes: list[tuple[bool, int]], gap: int) -> None:
    flags = flags_of(sizes)
    closed = close(flags, gap)
    assert not (flags & ~closed).any()
    between = [start - end for (_, end), (start, _) in zip(runs(closed), runs(closed)[1:], strict=False)]
    assert all(size >= gap for size in between)
    assert all(end - start < gap for start, end in runs(closed & ~flags))


@settings(max_examples=60, deadline=None)
@given(sizes=FLAGS, seed=st.integers(0, 999), quieter=st.floats(-40, 20), margin=st.floats(1, 15))
def test_speech_follows_level_and_flags_whatever_the_gain(
    sizes: list[tuple[bool, int]], seed: int, quieter: float, margin: float
) -> None:
    flags = flags_of(sizes)
    draw = np.random.default_rng(seed)
    level = np.where(flags, draw.normal(-25, 12, len(flags)), draw.normal(-60, 4, len(flags)))
    found, why = speech(heard_of(level, flags), HOW)
    assert found.any() != bool(why) and found.shape == flags.shape
    same, _ = speech(heard_of(level + quieter, flags), HOW)
    assert (same != found).mean() < 0.01  # float32 rounding at a threshold
    less, _ = speech(heard_of(level, flags), Sensitivity(margin_db=HOW.margin_db + margin))
    assert not (less & ~found).any()
    if not flags.any():
        assert not found.any()


def spoken() -> tuple[np.ndarray, np.ndarray]:
    """Level and flags of 2 s of speech in 6 s of quiet, the detector late by 0.1 s and awake for 0.3 s too long."""
    level, flags = np.full(600, -70.0), np.zeros(600, dtype=bool)
    level[200:400] = -20 + 8 * np.sin(np.arange(200) / 5)
    flags[210:430] = True
    return level, flags


def test_an_onset_that_the_detector_misses_is_found_and_its_hangover_dropped() -> None:
    found, _ = speech(heard_of(*spoken()), HOW)
    assert runs(found) == [(200, 400)]


def test_a_final_consonant_after_a_closure_counts_and_a_click_does_not() -> None:
    level, flags = spoken()
    flags[395:] = False
    level[415:423] = -32.0
    assert runs(speech(heard_of(level, flags), HOW)[0])[-1] == (415, 423)
    level[417:423] = -70.0
    assert runs(speech(heard_of(level, flags), HOW)[0])[-1] == (200, 400)


def test_a_long_breath_before_speech_is_cut_to_the_length_of_a_consonant() -> None:
    level, flags = spoken()
    level[150:200], flags[150:200] = -42.0, True
    assert runs(speech(heard_of(level, flags), HOW)[0]) == [(192, 400)]


def test_the_floor_follows_the_noise() -> None:
    level = np.concatenate([np.full(4000, -70.0), np.full(4000, -40.0)]).astype(np.float32)
    assert floor(level)[1000] == -70 and floor(level)[7000] == -40


def test_levels_are_those_of_the_whole_file_and_memory_does_not_hold_it(tmp_path: Path) -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, 22050 * 25 + 123).astype(np.float32)
    heard = heard_at(tmp_path, wave, 22050)
    whole, _ = read_audio(tmp_path / "sound.flac")
    frames = whole[: len(whole) // 441 * 441].reshape(-1, 441)
    halves = np.stack([np.square(frames[:, :220]).mean(1), np.square(frames[:, 220:]).mean(1)], 1).ravel()
    assert np.allclose(heard.level, 10 * np.log10(halves), atol=1e-3)
    assert heard.samples == len(wave) and heard.flags.shape == heard.level.shape and heard.peak == np.abs(whole).max()


NOISE = np.random.default_rng(1).normal(0, 0.1, voices.RATE * 20)


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        (np.zeros(voices.RATE * 5), "hears no speech"),
        (np.zeros(100), "hears no speech"),
        (NOISE, "varies by"),
        (voices.tone(440, 20) / 3, "varies by"),
        (voices.vowel(30), "varies by|held"),
        (voices.clicks(20), "hears no speech"),
        (voices.tune(20), "held .* music"),
        (voices.chords(20), "held .* music"),
    ],
    ids=["silence", "5 ms", "noise", "tone", "vowel", "clicks", "tune", "chords"],
)
def test_what_is_no_speech_is_told_with_the_reason(tmp_path: Path, sound: np.ndarray, reason: str) -> None:
    found, why = speech(heard_at(tmp_path, sound), HOW)
    assert not found.any()
    assert re.search(reason, why), why


@pytest.mark.parametrize(("snr", "share"), [(20, 0.97), (5, 0.97), (0, 0.9)])
def test_speech_in_noise_is_kept(tmp_path: Path, snr: float, share: float) -> None:
    wave, rate = read_audio(voices.ENGLISH)
    wave = resample(wave[: 20 * rate], rate, voices.RATE)
    clean, _ = speech(heard_at(tmp_path, wave), HOW)
    noise = np.random.default_rng(2).normal(0, 1, len(wave))
    noise *= np.sqrt(np.mean(wave**2) / 10 ** (snr / 10))
    found, _ = speech(heard_at(tmp_path, 0.5 * (wave + noise)), HOW)
    reached = close(found, 30)
    assert reached[clean].mean() > share


def test_very_quiet_speech_is_found_as_well(tmp_path: Path) -> None:
    wave, rate = read_audio(voices.ENGLISH)
    wave = resample(wave[: 10 * rate], rate, voices.RATE)
    loud, _ = speech(heard_at(tmp_path, wave), HOW)
    quiet, _ = speech(heard_at(tmp_path, 0.03 * wave), HOW)
    assert (loud & quiet).sum() > 0.95 * loud.sum()
