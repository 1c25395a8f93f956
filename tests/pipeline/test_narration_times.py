"""Subtitles against a voice whose every sound has a known place: each phone is a tone, and an ear that knows the tones.

Loudness and chapters of the finished files, by other programs than the project's own.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pyloudnorm
import pytest
import torch
import webvtt
from pipeline_fakes import Beep

from pipeline.engine import SayOptions
from pipeline.narration import BookOptions, LineStore, read_manifest, run_narration
from voice.alignment.words import script_words
from voice.mastering.marks import ToneMark
from voice.text import read_text
from voice.text.units import CTC_UNITS

RATE, HOP = 16000, 320
PHONE = 0.08  # seconds
TENTH = 0.1
BOOK = """# One

The sailor, who was late, waited in the rain.

One more thing before we go home.

# Two

My dog found a letter.
"""


class Talker:
    """A voice of tones: unit u of the CTC head hums at 50 * (u + 2) Hz. `said` is where each word of a text lies."""

    sample_rate = RATE
    info: dict[str, Any] = {"weights": "tones"}

    def __init__(self) -> None:
        self.guard = SimpleNamespace(ear=Ear())
        self.said: dict[str, list[tuple[str, float, float]]] = {}

    def say(self, text: str, *, seed: int | None = None, **options: Any) -> Beep:
        rng = np.random.default_rng(len(text))
        words, _ = script_words([text], lambda each: read_text(each, "en", {}))
        parts, now = [], 0.0

        def rest(seconds: float) -> None:
            nonlocal now
            parts.append(np.zeros(round(seconds * RATE)))
            now += len(parts[-1]) / RATE

        rest(rng.uniform(0.05, 0.6))
        self.said[text] = []
        for word in words:
            start = now
            for unit in word.units:
                tone = 0.2 * np.sin(2 * np.pi * 50 * (unit + 2) * np.arange(round(PHONE * RATE)) / RATE)
                parts.append(tone)
                now += len(tone) / RATE
            self.said[text].append((word.token.text, start, now))
            rest(rng.uniform(0.05, 0.5))
        audio = np.concatenate(parts).astype(np.float32)
        return Beep(audio, RATE, len(audio) / RATE, seed or 0)


class Ear:
    """Tells the tones of 20 ms apart, as `PhoneRecogniser.log_probs` does phones."""

    config = SimpleNamespace(units=len(CTC_UNITS))

    def log_probs(self, wav: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        frames = wav[0].numpy()[: wav.shape[1] // HOP * HOP].reshape(-1, HOP)
        heard = np.abs(np.fft.rfft(frames))[:, 2 : 2 + len(CTC_UNITS)]
        scores = np.zeros((len(frames), len(CTC_UNITS)), np.float32)
        for score, spectrum, frame in zip(scores, heard, frames, strict=True):
            score[int(spectrum.argmax()) if frame.std() > 0.05 else 0] = 9.0
        logs = torch.from_numpy(scores).log_softmax(-1)[None]
        return logs, torch.tensor([len(frames)])


@pytest.mark.parametrize("mark", ["none", "tone"])
def test_cues_and_words_are_within_a_tenth_of_a_second_of_speech(tmp_path: Path, mark: str) -> None:
    talker = Talker()
    (tmp_path / "book.md").write_text(BOOK)
    book = BookOptions(formats=("wav",), mark=mark)
    run_narration(tmp_path, tmp_path / "book.md", "ann", tmp_path / "out", SayOptions(), lambda *_: talker, book=book)
    lead = len(ToneMark().lead(RATE)) / RATE if mark == "tone" else 0.0
    rows = read_manifest(tmp_path / "out")
    spoken = webvtt.from_srt(tmp_path / "out/book.srt")
    timed = (tmp_path / "out/book.vtt").read_text().split("\n\n")[1:]
    assert len(rows) == len(list(spoken)) == len(timed) == 5
    checked = 0
    for row, cue, block in zip(rows, spoken, timed, strict=True):
        words = talker.said[row["text"]]
        begin = row["start"] + lead
        assert seconds(cue.start) == pytest.approx(begin + words[0][1], abs=TENTH)
        assert seconds(cue.end) == pytest.approx(begin + words[-1][2], abs=TENTH)
        text = block.strip().splitlines()[-1]
        found = [(word, seconds(clock)) for clock, word in re.findall(r"<([\d:.]+)>([^\s<]+)", text)]
        assert [word for word, _ in found] == [word for word, _, _ in words[1:]], text
        assert [at for _, at in found] == pytest.approx([begin + start for _, start, _ in words[1:]], abs=TENTH)
        checked += len(found)
        facts = LineStore(tmp_path / ".cache/items/narrate").facts(row["key"])
        assert facts is not None
        kept = [(start, end) for _, start, end in facts["words"]]
        assert np.array(kept) == pytest.approx(np.array([(start, end) for _, start, end in words]), abs=TENTH)
    assert checked == 8 + 6 + 4


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def decoded(path: Path) -> tuple[np.ndarray, int]:
    """Samples of any kind of file, float [N], and their rate, by FFmpeg."""
    with av.open(str(path)) as file:
        resampler = av.AudioResampler(format="flt", layout="mono")
        frames = [out for frame in file.decode(audio=0) for out in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), frames[0].sample_rate


@pytest.mark.parametrize("target", [-16.0, -18.0, -23.0])
def test_pyloudnorm_finds_every_file_at_its_target(tmp_path: Path, target: float) -> None:
    kinds = ("wav", "flac", "opus", "mp3", "m4b")
    (tmp_path / "book.md").write_text(BOOK)
    book = BookOptions(formats=kinds, loudness=f"r128{target:.0f}")
    load = lambda *_: Talker()  # noqa: E731
    run_narration(tmp_path, tmp_path / "book.md", "ann", tmp_path / "out", SayOptions(), load, book=book)
    for kind in kinds:
        samples, rate = decoded(tmp_path / f"out/book.{kind}")
        assert pyloudnorm.Meter(rate).integrated_loudness(samples) == pytest.approx(target, abs=0.5), kind
        assert np.abs(samples).max() < 1.0


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="there is no ffprobe")
def test_ffprobe_finds_the_chapters(tmp_path: Path) -> None:
    (tmp_path / "book.md").write_text(BOOK)
    load = lambda *_: Talker()  # noqa: E731
    book = BookOptions(formats=("m4b",))
    report = run_narration(tmp_path, tmp_path / "book.md", "ann", tmp_path / "out", SayOptions(), load, book=book)
    command = ["ffprobe", "-v", "error", "-show_chapters", "-of", "json", str(tmp_path / "out/book.m4b")]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["chapters"]
    assert [each["tags"]["title"] for each in found] == ["One", "Two"]
    second = next(row["start"] for row in read_manifest(tmp_path / "out") if row["chapter"] == 1)
    assert [float(each["start_time"]) for each in found] == pytest.approx([0.0, second], abs=0.002)
    assert float(found[-1]["end_time"]) == pytest.approx(report.seconds, abs=0.05)
