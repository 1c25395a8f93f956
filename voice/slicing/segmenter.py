"""One recording to its segments: rows and FLAC bytes, as one value that can be cached and made in another process."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from voice.audio import to_int16
from voice.items import pack
from voice.levels import decibels, loudness, peak_db
from voice.slicing.activity import STEP, Flags, Heard, Levels, Sensitivity, floor, listen, runs, speech
from voice.slicing.cuts import FRAME, Limits, Span, cut
from voice.slicing.detectors import detector

ROWS = "rows.json"
_AT_PEAK = 0.98
_SHARE = round(FRAME / STEP)


@dataclass(frozen=True)
class Settings:
    """How a recording is cut. `min_snr_db` and `max_clipped` (runs a second) reject segments; 0 turns either off."""

    detector: str = "webrtc"
    aggressiveness: int = 2
    threshold: float = 0.5
    limits: Limits = field(default_factory=Limits)
    sensitivity: Sensitivity = field(default_factory=Sensitivity)
    min_snr_db: float = 0.0
    max_clipped: float = 0.0


@dataclass(frozen=True)
class Task:
    """A clean mono recording; `clipped` says that the original was, so that it is worth looking where."""

    path: Path
    settings: Settings
    clipped: bool = False


def segment(task: Task) -> bytes:
    """Cut a recording. The value holds `rows.json` and a FLAC file for each row without a reason.

    `rows.json`: `seconds` of the recording, `speech` and `speech_kept` (seconds above the thresholds), `silence`
    (seconds in no span) and `spans` in order of time, each with `start`, `end`, `reason` ("" for a good one),
    `detail`, `peak_db`, `level_db`, `snr_db`, `clipped` and `file` (its name in the value). The seconds of all spans
    and the silence add up to those of the recording.
    """
    how = task.settings
    heard = listen(task.path, detector(how.detector, how.aggressiveness, how.threshold))
    flags, nothing = speech(heard, how.sensitivity)
    found = cut(flags, heard.level, how.limits)
    low = floor(heard.level)
    spans: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    with soundfile.SoundFile(task.path) as file:
        for start, end in sorted((*found.kept, *found.short)):
            piece = _read(file, start, end)
            row = _measure(piece, heard, flags, low, (start, end), task.clipped)
            row["reason"], row["detail"] = _judge(row, (start, end) in found.short, how)
            if not row["reason"]:
                row["file"] = f"{len(spans):06d}.flac"
                files[row["file"]] = _flac(piece, heard.rate)
            spans.append(row)
    kept = np.zeros(len(flags), dtype=np.bool_)
    for row in spans:
        if not row["reason"]:
            kept[round(row["start"] / STEP) : round(row["end"] / STEP)] = True
    account = {
        "seconds": round(heard.seconds, 6),
        "speech": round(int(flags.sum()) * STEP, 2),
        "speech_kept": round(int((flags & kept).sum()) * STEP, 2),
        "silence": round(heard.seconds - sum(row["end"] - row["start"] for row in spans), 6),
        "nothing": nothing,
        "spans": spans,
    }
    return pack({ROWS: json.dumps(account, sort_keys=True).encode(), **files})


def _read(file: soundfile.SoundFile, start: int, end: int) -> NDArray[np.float32]:
    grid = file.samplerate // 50
    file.seek(start * grid)
    return np.asarray(file.read((end - start) * grid, dtype="float32"))


def _measure(
    piece: NDArray[np.float32], heard: Heard, flags: Flags, low: Levels, span: Span, clipped: bool
) -> dict[str, Any]:
    """The row of a span. SNR: mean power of its speech over the noise floor around it, less the noise in it."""
    part = slice(span[0] * _SHARE, span[1] * _SHARE)
    power = 10.0 ** (heard.level[part][flags[part]].astype(np.float64) / 10.0)
    noise = float(np.mean(10.0 ** (low[part].astype(np.float64) / 10.0)))
    signal = max(float(power.mean()) - noise, 0.0) if len(power) else 0.0
    return {
        "start": round(span[0] * FRAME, 6),
        "end": round(span[1] * FRAME, 6),
        "peak_db": round(peak_db(piece), 3),
        "level_db": round(max(-100.0, loudness(piece, heard.rate)), 3),
        "snr_db": round(float(np.clip(decibels(signal) - decibels(noise), 0.0, 100.0)), 2),
        "clipped": _clipping(piece, heard.peak) if clipped else 0,
    }


def _clipping(piece: NDArray[np.float32], peak: float) -> int:
    """Runs of three samples or more at the recording's own peak: filters and gain have moved what was full scale."""
    sides = (piece >= _AT_PEAK * peak, piece <= -_AT_PEAK * peak)
    return sum(end - start >= 3 for side in sides for start, end in runs(side))


def _judge(row: dict[str, Any], short: bool, how: Settings) -> tuple[str, str]:
    """Reason and detail of a span that is rejected, else two empty texts."""
    seconds = row["end"] - row["start"]
    if short:
        return "too_short", f"{seconds:.2f} s with its margins, under {how.limits.min_seconds:g} s"
    if row["snr_db"] < how.min_snr_db:
        return "too_noisy", f"SNR {row['snr_db']:.1f} dB, under {how.min_snr_db:g} dB"
    if how.max_clipped and row["clipped"] > how.max_clipped * seconds:
        return "clipped", f"{row['clipped']} clipped runs in {seconds:.2f} s, over {how.max_clipped:g} a second"
    return "", ""


def _flac(piece: NDArray[np.float32], rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, to_int16(piece), rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
