"""Tables and sounds of a voice that never was: as the data stages would leave them, with hard names and many clips."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 24000
HARD = "He said \"no\" & 'maybe' <script>alert(1)</script> {{ 7*7 }} $(reboot) `x`"


@dataclass(frozen=True)
class Made:
    """A project's folder and the voice in it."""

    root: Path
    voice: str = "bea"

    @property
    def data(self) -> Path:
        return self.root / "data" / self.voice

    @property
    def raw(self) -> Path:
        return self.root / "data" / "raw" / self.voice

    def write(self, file: str, rows: Sequence[Mapping[str, Any]]) -> None:
        lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows]
        (self.data / file).write_text("".join(lines), encoding="utf-8")

    def read(self, file: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.data / file).read_text(encoding="utf-8").split("\n") if line]


def tone(seconds: float, seed: int) -> np.ndarray:
    """Something with syllables and overtones, float32 in [-1, 1]."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = 110 + 20 * np.sin(2 * np.pi * (0.5 + seed % 3) * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voiced = sum(np.sin(k * phase) / k for k in range(1, 12))
    beat = np.clip(np.sin(2 * np.pi * 3 * time + seed), 0, 1)
    noise = np.random.default_rng(seed).normal(0, 0.003, len(time))
    return (0.25 * voiced * beat + noise).astype(np.float32)


def flac(sound: np.ndarray) -> bytes:
    """`sound` as the bytes of a FLAC file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, RATE, subtype="PCM_16", format="FLAC")
    return buffer.getvalue()


def make_data(root: Path, accepted: int = 8, *, voice: str = "bea", distinct: int = 8) -> Made:
    """A voice with `accepted` good segments, two set aside, one left out, one recording of two refused.

    Sounds repeat after `distinct` segments, so that a thousand are made fast.
    """
    made = Made(root, voice)
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("base: mini\n")
    for folder in (made.data / "segments", made.data / "clean", made.raw):
        folder.mkdir(parents=True)
    consent = "basis: synthetic\nscope: tests & <b>nothing</b> else\nrecordings:\n  day one.wav: " + "ab" * 32 + "\n"
    (made.raw / "consent.yaml").write_text(consent, encoding="utf-8")
    (made.raw / "odd 'n\" <b>.wav").write_bytes(b"")
    sounds = [tone(3.0 + (i % 5) * 0.5, i) for i in range(distinct)]
    files = [flac(sound) for sound in sounds]
    rows: list[dict[str, Any]] = []
    at = 1.0
    for number in range(accepted + 2):
        length = len(sounds[number % distinct]) / RATE
        name = f"day-one-{number + 1:04d}"
        (made.data / "segments" / f"{name}.flac").write_bytes(files[number % distinct])
        rows.append({"id": name, "recording": "day-one", "start": round(at, 6), "end": round(at + length, 6)})
        rows[-1]["seconds"] = round(length, 6)
        at += length + 0.5
    total = round(at + 3.0, 6)
    (made.data / "clean" / "day-one.flac").write_bytes(flac(np.tile(sounds[0], 20)[: min(60, round(total)) * RATE]))
    _write_tables(made, rows, total)
    return made


def _write_tables(made: Made, rows: list[dict[str, Any]], total: float) -> None:
    sha = hashlib.sha256(b"x").hexdigest()
    recording = {
        "id": "day-one", "file": "day one.wav", "sha256": sha, "format": "WAV PCM_16", "seconds": total,
        "sample_rate": 44100, "channels": 2, "true_peak_db": 0.4, "peak_db": -0.1, "lufs": -24.0, "snr_db": 21.5,
        "bandwidth_hz": 7400.0, "clipped": 3, "dc": 0.0, "hum_hz": 50, "hum_db": 8.0, "reverb_seconds": None,
        "speakers": 1, "gain_db": 2.0, "enhanced": "", "clean_rate": RATE, "clean_seconds": total,
        "notes": ["clipped", "hum"],
    }  # fmt: skip
    made.write("recordings.jsonl", [recording])
    refused = {"id": "odd", "file": "odd 'n\" <b>.wav", "sha256": sha, "reason": "empty", "detail": "0 bytes"}
    made.write("recordings.rejected.jsonl", [refused])
    measures = [
        {"recording_seconds": total, "peak_db": -3.0, "level_db": -20.0 - i % 7, "snr_db": 20.0 + i % 23, "clipped": 0}
        for i in range(len(rows))
    ]
    made.write("segments.jsonl", [row | extra for row, extra in zip(rows, measures, strict=True)])
    short = {"id": "day-one-x", "recording": "day-one", "start": 0.2, "end": 0.9, "seconds": 0.7}
    made.write("segments.rejected.jsonl", [short | {"reason": "too_short", "detail": "0.70 s < 2 s"}])
    aligned, aside = [], []
    for i, row in enumerate(rows):
        told = row | {"text": HARD if i == 0 else f"Sentence {i + 1} of the script.", "phones_per_second": 12.0}
        if i >= len(rows) - 2:
            aside.append(told | {"score": 0.1, "reason": "low_score", "detail": f"score 0.1 < 0.3 in {HARD}"})
            continue
        reading = {"words": ["a"], "word2ph": [1], "phones": ["AH0"], "ids": [1]}
        split = {"split": "held_out" if i == 1 else "train", "draft": False, "edited": i == 2}
        aligned.append(told | reading | split | {"lang": "en", "score": round(0.95 - 0.5 * (i % 10) / 10, 4)})
    made.write("aligned.jsonl", aligned)
    made.write("aligned.rejected.jsonl", aside)
    words = [
        {
            "id": f"{row['id']}.{place:03d}",
            "segment": row["id"],
            "recording": "day-one",
            "text": text,
            "start": row["start"],
            "end": row["end"],
            "score": s,
        }
        for row in rows[:10]
        for place, (text, s) in enumerate((("Sentence", 0.9), ("<i>weak</i>", 0.2)), start=1)
    ]
    made.write("words.jsonl", words)
    coverage = {
        "words": {"total": 40, "aligned": 30, "quarantined": 6, "unspoken": 4},
        "coverage": 0.75,
        "unspoken": [{"where": "transcript.txt: line 3", "words": 4, "text": f"never said {HARD}"}],
        "untranscribed": [{key: rows[-1][key] for key in ("recording", "start", "end")} | {"segment": rows[-1]["id"]}],
        "transcript": "transcript.txt",
        "draft": False,
        "faults": [{"where": "transcript.txt: line 9", "reason": "no_words", "detail": HARD}],
    }
    (made.data / "coverage.json").write_text(json.dumps(coverage), encoding="utf-8")
