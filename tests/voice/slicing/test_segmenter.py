from __future__ import annotations

import io
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.voice.slicing import voices
from voice.audio import read_audio, to_int16, write_flac
from voice.items import unpack
from voice.slicing.segmenter import ROWS, Settings, Task, segment

RATE = 24000


@pytest.fixture(scope="module")
def english() -> np.ndarray:
    """Three sentences."""
    return read_audio(voices.ENGLISH)[0][: 14 * RATE]


def segmented(folder: Path, wave: np.ndarray, how: Settings | None = None, **options: Any) -> dict[str, Any]:
    write_flac(folder / "clean.flac", wave.astype(np.float32), RATE)
    files = unpack(segment(Task(folder / "clean.flac", how or Settings(), **options)))
    found = json.loads(files.pop(ROWS))
    for span in found["spans"]:
        span["seconds"] = span["end"] - span["start"]
        if not span["reason"]:
            span["wave"] = soundfile.read(io.BytesIO(files.pop(span["file"])), dtype="float32")[0]
    assert not files
    spent = sum(span["seconds"] for span in found["spans"]) + found["silence"]
    assert spent == pytest.approx(found["seconds"], abs=1e-5) and found["silence"] >= 0
    assert found["seconds"] == pytest.approx(len(wave) / RATE, abs=1e-6)
    assert 0 <= found["speech_kept"] <= found["speech"] <= found["seconds"]
    return found


def test_segments_hold_the_samples_of_their_span_and_the_same_bytes_each_time(
    tmp_path: Path, english: np.ndarray
) -> None:
    found = segmented(tmp_path, english)
    assert len(found["spans"]) == 3 and found["speech_kept"] == found["speech"] > 8 and not found["nothing"]
    clean = to_int16(read_audio(tmp_path / "clean.flac")[0])
    for span in found["spans"]:
        start, end = round(span["start"] * RATE), round(span["end"] * RATE)
        assert start % (RATE // 50) == 0 and (to_int16(span["wave"]) == clean[start:end]).all()
        assert span["snr_db"] > 30 and span["clipped"] == 0 and -60 < span["peak_db"] <= 0
    task = Task(tmp_path / "clean.flac", Settings())
    assert segment(task) == segment(task)


def test_half_a_second_of_speech_is_set_aside_as_too_short(tmp_path: Path, english: np.ndarray) -> None:
    wave = np.zeros(5 * RATE)
    wave[2 * RATE : 5 * RATE // 2] = english[RATE : 3 * RATE // 2]
    found = segmented(tmp_path, wave)
    (span,) = found["spans"]
    assert span["reason"] == "too_short" and "under 2 s" in span["detail"] and 0.4 < span["seconds"] < 1.1
    assert found["speech"] > 0.3 and found["speech_kept"] == 0


def test_a_recording_without_speech_is_all_silence(tmp_path: Path) -> None:
    found = segmented(tmp_path, np.random.default_rng(0).normal(0, 0.05, 8 * RATE))
    assert not found["spans"] and found["silence"] == 8.0 and found["nothing"]


def test_noise_and_clipping_reject_segments_only_when_asked(tmp_path: Path, english: np.ndarray) -> None:
    noisy = 0.5 * english + np.random.default_rng(0).normal(0, 0.02, len(english))
    kept = segmented(tmp_path, noisy)["spans"]
    assert kept and all(not span["reason"] and 3 < span["snr_db"] < 25 for span in kept)
    strict = segmented(tmp_path, noisy, Settings(min_snr_db=30.0))["spans"]
    assert [span["reason"] for span in strict] == ["too_noisy"] * len(kept)
    assert [span["snr_db"] for span in strict] == [span["snr_db"] for span in kept]
    limit = 0.3 * np.abs(english).max()
    clipped = 0.5 * np.clip(english, -limit, limit)  # as it comes out of ingest: below full scale
    assert all(span["clipped"] == 0 for span in segmented(tmp_path, clipped)["spans"])  # ingest saw none
    seen = segmented(tmp_path, clipped, clipped=True)["spans"]
    assert all(span["clipped"] > 10 and not span["reason"] for span in seen)
    strict = segmented(tmp_path, clipped, Settings(max_clipped=2.0), clipped=True)["spans"]
    assert {span["reason"] for span in strict} == {"clipped"} and "over 2 a second" in strict[0]["detail"]
    whole = segmented(tmp_path, english, Settings(max_clipped=2.0), clipped=True)["spans"]
    assert not any(span["reason"] for span in whole)  # one clipped run elsewhere does not condemn a segment


def test_a_long_vowel_between_pauses_becomes_segments_of_legal_length(tmp_path: Path, english: np.ndarray) -> None:
    held = np.interp(np.arange(25 * RATE) / RATE, np.arange(25 * voices.RATE) / voices.RATE, voices.vowel(25.0))
    wave = np.concatenate([english, 0.5 * held, np.zeros(RATE), english])
    spans = segmented(tmp_path, wave)["spans"]
    assert all(2 - 1e-9 <= span["seconds"] <= 10 + 1e-9 for span in spans if not span["reason"])
    inside = [span for span in spans if 15 < span["start"] < 37]
    assert len(inside) >= 2 and not any(span["reason"] for span in inside)


def test_a_task_can_go_to_another_process_and_settings_that_differ_are_different_items() -> None:
    plain = Settings()
    assert pickle.loads(pickle.dumps((segment, Task(Path("a.flac"), plain)))) == (segment, Task(Path("a.flac"), plain))
    for other in (replace(plain, min_snr_db=1.0), replace(plain, limits=replace(plain.limits, pad=0.2))):
        assert repr(other) != repr(plain)
