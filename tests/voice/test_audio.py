from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voice.audio import read_audio, resample, write_flac, write_wav
from voice.errors import UserError


def tone(rate: int, seconds: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
def test_stereo_of_any_depth_becomes_the_mean_of_its_channels(tmp_path: Path, subtype: str) -> None:
    wave = tone(96000)
    soundfile.write(tmp_path / "a.wav", np.stack([wave, 0.5 * wave], axis=1), 96000, subtype=subtype)
    read, rate = read_audio(tmp_path / "a.wav")
    assert rate == 96000 and read.shape == wave.shape and read.dtype == np.float32
    assert np.abs(read - 0.75 * wave).max() < (0.02 if subtype == "PCM_U8" else 1e-4)


def test_the_same_samples_give_the_same_bytes_and_read_back(tmp_path: Path) -> None:
    wave = tone(24000)
    for number, write in enumerate([write_flac, write_wav]):
        write(tmp_path / f"{number}a", wave, 24000)
        write(tmp_path / f"{number}b", wave, 24000)
        assert (tmp_path / f"{number}a").read_bytes() == (tmp_path / f"{number}b").read_bytes()
        assert np.abs(read_audio(tmp_path / f"{number}a")[0] - wave).max() <= 1 / 32768


def test_samples_beyond_full_scale_are_held_not_wrapped(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.array([1.5, -1.5], dtype=np.float32), 8000)
    assert read_audio(tmp_path / "a.wav")[0] == pytest.approx([1.0, -1.0], abs=1e-4)


def test_resampling_keeps_a_tone_and_its_length() -> None:
    low = resample(tone(48000), 48000, 16000)
    assert len(low) == 8000
    assert np.abs(low - tone(16000))[200:-200].max() < 1e-3


def test_missing_empty_and_foreign_files_are_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("not audio at all")
    soundfile.write(tmp_path / "none.wav", np.zeros(0, dtype=np.float32), 8000)
    for name, reason in {"gone.wav": "no such", "empty.wav": "is empty", "text.wav": "not readable"}.items():
        with pytest.raises(UserError, match=reason):
            read_audio(tmp_path / name)
    with pytest.raises(UserError, match="no samples"):
        read_audio(tmp_path / "none.wav")


@pytest.mark.parametrize("suffix", ["flac", "wav"])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 48000).astype(np.float32)
    (write_flac if suffix == "flac" else write_wav)(tmp_path / "a", noise, 24000)
    data = (tmp_path / "a").read_bytes()
    half = tmp_path / f"half.{suffix}"
    half.write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="cut short|not readable"):
        read_audio(half)


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.0, np.nan], dtype=np.float32), 8000, subtype="FLOAT")
    with pytest.raises(UserError, match="not finite"):
        read_audio(tmp_path / "a.wav")
