"""A recording to its clean audio, block by block: the same sound as all at once."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.voice.measures.signals import demo
from voice.audio import read_audio, resample, to_int16, write_flac
from voice.errors import UserError
from voice.items import unpack
from voice.levels import gain_db, loudness, peak_db, snr_db
from voice.recording.clean import CLEAN, ROW, Settings, Task, process
from voice.recording.enhance import check_installed, enhance
from voice.recording.ids import recording_ids
from voice.recording.mixdown import survey

SETTINGS = Settings(24000, -20.0, -1.0)


def cleaned(path: Path, settings: Settings = SETTINGS) -> tuple[dict[str, Any], np.ndarray]:
    """The row of a file and its clean samples as integers."""
    task = pickle.loads(pickle.dumps(Task(path, settings, path.parent / "scratch")))  # as to another process
    parts = unpack(process(task))
    (path.parent / "clean.flac").write_bytes(parts[CLEAN])
    return json.loads(parts[ROW]), soundfile.read(path.parent / "clean.flac", dtype="int16")[0]


@pytest.mark.parametrize("rate", [16000, 24000, 44100])
def test_the_clean_audio_is_what_the_whole_file_gives(tmp_path: Path, rate: int) -> None:
    wave, own = demo(seconds=12)
    soundfile.write(tmp_path / "a.wav", resample(wave, own, rate) + 0.03, rate, subtype="PCM_24")
    row, found = cleaned(tmp_path / "a.wav")
    read, _ = read_audio(tmp_path / "a.wav")
    centred = resample(read - np.float32(round(float(read.mean(dtype=np.float64)), 6)), rate, 24000)
    gain = gain_db(loudness(centred, 24000), peak_db(centred), -20.0, -1.0)
    assert row["gain_db"] == pytest.approx(gain, abs=0.002) and row["dc"] == pytest.approx(0.03, abs=1e-3)
    wanted = to_int16(centred * np.float32(10.0 ** (row["gain_db"] / 20.0)))
    assert len(found) == len(wanted) and np.abs(found.astype(int) - wanted).max() <= 1
    if rate == 24000:
        write_flac(tmp_path / "b.flac", wanted / np.float32(32768), 24000)
        assert (tmp_path / "clean.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_dead_and_inverted_channels_are_left_out(tmp_path: Path) -> None:
    wave, rate = demo(seconds=5)
    quiet = np.random.default_rng(0).normal(0, 1e-4, len(wave)).astype(np.float32)
    for name, other, notes in (
        ("dead", quiet, ("dead_channel",)),
        ("zero", quiet * 0, ("dead_channel",)),
        ("constant", quiet * 0 + 0.1, ("dead_channel",)),
        ("inverted", -wave * 0.9, ("inverted_channel",)),
        ("near", wave * 0.5, ()),
    ):
        for order in (1, -1):
            soundfile.write(tmp_path / f"{name}.wav", np.stack([wave, other][::order], axis=1), rate)
            found = survey(tmp_path / f"{name}.wav")
            assert found.notes == notes and found.channels == 2
            assert found.kept == ((0, 1) if not notes else (0,) if order == 1 else (1,))
    soundfile.write(tmp_path / "one.wav", wave, rate)
    soundfile.write(tmp_path / "two.wav", np.stack([wave, quiet * 0], axis=1), rate)
    assert np.array_equal(cleaned(tmp_path / "one.wav")[1], cleaned(tmp_path / "two.wav")[1])


def test_clipping_is_counted_in_the_worst_channel_of_any_depth(tmp_path: Path) -> None:
    wave, rate = demo(seconds=5)
    hot = np.clip(wave * 6, -1, 1)
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT"):
        soundfile.write(tmp_path / "a.wav", np.stack([wave, hot], axis=1), rate, subtype=subtype)
        assert survey(tmp_path / "a.wav").clipped > 100
        soundfile.write(tmp_path / "a.wav", wave, rate, subtype=subtype)
        assert survey(tmp_path / "a.wav").clipped == 0


def test_ids_are_plain_and_never_shared() -> None:
    names = ["a.wav", "A.wav", "a b.wav", "a-b.flac", "录音.m4a", "声音.m4a", "x/take 1.ogg", "'q\"\n.wav", "....wav"]
    ids = recording_ids(names)
    assert ids["a.wav"] == "a" and ids["a-b.flac"] == "a-b" and ids["x/take 1.ogg"] == "x-take-1"
    assert ids["A.wav"].startswith("a-") and ids["a b.wav"].startswith("a-b-") and ids["'q\"\n.wav"] == "q"
    assert ids["录音.m4a"].startswith("recording-") and len(set(ids.values())) == len(names)
    for name in names:
        assert recording_ids(names[::-1])[name] == ids[name]
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", ids[name])
    assert recording_ids(["a.wav", "a.mp3"])["a.wav"] != "a"
    trap = recording_ids(["A.wav", "a.wav"])["A.wav"]
    assert len(set(recording_ids(["A.wav", "a.wav", f"{trap}.wav"]).values())) == 3


def noisy(snr: float, seconds: float = 5) -> tuple[np.ndarray, int]:
    wave, rate = demo(seconds=seconds)
    level = float(np.sqrt(np.square(wave).mean())) * 10 ** (-snr / 20)
    return (wave + np.random.default_rng(0).normal(0, level, len(wave))).astype(np.float32), rate


def to_distortion_db(wave: np.ndarray, clean: np.ndarray) -> float:
    """Power of the part of `wave` that is `clean`, over that of the rest; the level does not matter."""
    part = clean * float(wave @ clean / (clean @ clean))
    return float(10 * np.log10(np.square(part).sum() / np.square(wave - part).sum()))


def test_blocks_pass_unchanged_without_enhancement() -> None:
    blocks = [np.ones(3, np.float32), np.zeros(2, np.float32)]
    assert [id(block) for block in enhance(blocks, 24000, "none", "none")] == [id(block) for block in blocks]


@pytest.mark.parametrize(("denoise", "dereverb"), [("noisereduce", "none"), ("none", "wpe")])
def test_enhancement_keeps_length_and_time_wherever_blocks_end(
    denoise: Any, dereverb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("noisereduce")
    pytest.importorskip("nara_wpe")
    monkeypatch.setattr("voice.recording.enhance.STRETCH", 3.0)
    wave, rate = noisy(10.0, 10)
    found = np.concatenate(list(enhance(np.array_split(wave, 40), rate, denoise, dereverb)))
    again = np.concatenate(list(enhance(np.array_split(wave, 7), rate, denoise, dereverb)))
    assert len(found) == len(wave) and np.array_equal(found, again)
    assert np.corrcoef(found, wave)[0, 1] > 0.9
    if denoise == "noisereduce":
        clean = demo(seconds=10)[0]
        assert to_distortion_db(found, clean) > to_distortion_db(wave, clean) + 3.5
        assert snr_db(found, rate) > snr_db(wave, rate) + 7


def test_what_was_enhanced_is_told(tmp_path: Path) -> None:
    pytest.importorskip("noisereduce")
    wave, rate = noisy(10.0)
    soundfile.write(tmp_path / "a.wav", wave, rate)
    row, found = cleaned(tmp_path / "a.wav", Settings(24000, -20.0, -1.0, denoise="noisereduce"))
    assert row["enhanced"] == "noisereduce" and "noisy" in row["notes"] and len(found) == 5 * rate
    assert Settings(24000, -20.0, -1.0, "noisereduce", "wpe").enhanced == "wpe+noisereduce"


def test_a_missing_package_is_one_line_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice.recording.enhance.find_spec", lambda name: None)
    check_installed("none", "none")
    for given in (("noisereduce", "none"), ("none", "wpe")):
        with pytest.raises(UserError, match=r"not installed \(pip install 'reprovoice\[enhance\]'\)"):
            check_installed(*given)  # type: ignore[arg-type]
