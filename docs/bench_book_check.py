"""What `bench_book.py` measures on a book by other means than the project's own: levels, chapters, times of cues."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyloudnorm
import soundfile
import webvtt

_FRAME = 0.005  # seconds
_DEPTH = 40.0  # dB under the loudest frame of the line: what is heard as speech
_STAYS = 4  # frames in a row, so that a click is no onset


def loudness(path: Path) -> float:
    """LUFS of a file by pyloudnorm."""
    samples, rate = soundfile.read(path)
    return float(pyloudnorm.Meter(rate).integrated_loudness(samples))


def chapters(path: Path) -> tuple[str, list[tuple[str, float]]]:
    """Who read them, and (title, start in seconds) of each chapter: by ffprobe where there is one."""
    if ffprobe := shutil.which("ffprobe"):
        command = [ffprobe, "-v", "error", "-show_chapters", "-of", "json", str(path)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["chapters"]
        return "ffprobe", [(each["tags"]["title"], float(each["start_time"])) for each in found]
    with av.open(str(path)) as file:
        read = file.chapters()
    return "PyAV", [(each["metadata"]["title"], float(each["start"] * each["time_base"])) for each in read]


def speech(wave: np.ndarray, rate: int) -> tuple[float, float]:
    """Seconds of onset and offset of what is loud in `wave` [N] and stays loud for 20 ms."""
    size = round(_FRAME * rate)
    power = (wave[: len(wave) // size * size].reshape(-1, size) ** 2).mean(1)
    loud = power > power.max() * 10 ** (-_DEPTH / 10)
    stays = np.convolve(loud, np.ones(_STAYS), "valid") == _STAYS
    places = np.flatnonzero(stays)
    return float(places[0]) * _FRAME, float(places[-1] + _STAYS) * _FRAME


def cue_errors(book: Path, store: Path) -> dict[str, np.ndarray]:
    """Milliseconds by which cues (book.srt, book.vtt) and words miss onset and offset of speech in book.flac.

    A cue and its line have the same place. Inside a line energy tells no word from the next, so of words the first
    start and the last end are compared, and how many lie within their cue.
    """
    samples, rate = soundfile.read(book.with_suffix(".flac"), dtype="float32")
    rows = [json.loads(text) for text in book.with_name("manifest.jsonl").read_text().splitlines()]
    cues = list(webvtt.from_srt(book.with_suffix(".srt")))
    if len(cues) != len(rows) or len(webvtt.read(book.with_suffix(".vtt"))) != len(rows):
        raise SystemExit(f"{len(cues)} cues, {len(rows)} lines")
    found: dict[str, list[float]] = {name: [] for name in ("cue start", "cue end", "first word", "last word", "words")}
    for row, cue in zip(rows, cues, strict=True):
        begin, end = row["start"], row["start"] + row["seconds"]
        onset, offset = (begin + at for at in speech(samples[round(begin * rate) : round(end * rate)], rate))
        found["cue start"].append(_seconds(cue.start) - onset)
        found["cue end"].append(_seconds(cue.end) - offset)
        words: list[Any] = json.loads((store / f"{row['key']}.json").read_text())["words"]
        if words:
            found["first word"].append(begin + words[0][1] - onset)
            found["last word"].append(begin + words[-1][2] - offset)
            found["words"] += [max(0.0, onset - begin - one[1], begin + one[2] - offset) for one in words]
    return {name: 1000 * np.array(values) for name, values in found.items()}


def _seconds(clock: str) -> float:
    """00:00:01.250 as seconds."""
    hours, minutes, seconds = clock.replace(",", ".").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
