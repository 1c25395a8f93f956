"""One recording to its row and its clean audio, in blocks, so that hours of it take little memory."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from voice.audio import to_int16
from voice.items import pack
from voice.levels import decibels, gain_db
from voice.measures.loudness import Loudness
from voice.measures.meter import Measures, Meter
from voice.recording.decode import BLOCK, BadAudioError, open_audio
from voice.recording.enhance import Denoise, Dereverb, enhance
from voice.recording.mixdown import Survey, mono, survey

ROW, CLEAN = "row.json", "clean.flac"
_SILENT_PEAK, _SILENT_LUFS = -60.0, -70.0

Wave = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """How recordings are cleaned: Hz, LUFS, dBFS, and the names of `voice.recording.enhance`."""

    sample_rate: int
    loudness_lufs: float
    peak_db: float
    denoise: Denoise = "none"
    dereverb: Dereverb = "none"

    @property
    def enhanced(self) -> str:
        """What is done to the sound beyond level and rate, in order of work: "" or names joined by a plus."""
        return "+".join(name for name in (self.dereverb, self.denoise) if name != "none")


@dataclass(frozen=True)
class Task:
    """A recording, and a folder for a temporary file as large as its clean audio in 32 bit."""

    path: Path
    settings: Settings
    scratch: Path


def process(task: Task) -> bytes:
    """`row.json` with the columns of the file (no `id`, `file`, `sha256`) and `clean.flac` as one packed value.

    For a file that cannot be used there is only `row.json`, with `reason` and `detail`.
    """
    try:
        row, clean = _process(task.path, task.settings, task.scratch)
    except BadAudioError as error:
        return pack({ROW: _json({"reason": error.reason, "detail": error.detail})})
    return pack({ROW: _json(row), CLEAN: clean})


def _process(path: Path, settings: Settings, scratch: Path) -> tuple[dict[str, Any], bytes]:
    found = survey(path)
    rate = settings.sample_rate
    loudness, peak, length = Loudness(rate), 0.0, 0
    scratch.mkdir(parents=True, exist_ok=True)
    with open_audio(path) as source, tempfile.TemporaryFile(dir=scratch) as store:
        meter = Meter(found.rate)
        centred = _measured(mono(source.blocks, found.kept), meter, found.dc)
        for block in enhance(_resampled(centred, found.rate, rate), rate, settings.denoise, settings.dereverb):
            loudness.add(block)
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            length += len(block)
            store.write(block.tobytes())
        measures = meter.measures()
        lufs = round(loudness.lufs(), 3)
        if measures.peak_db < _SILENT_PEAK or min(measures.lufs, lufs) <= _SILENT_LUFS:
            detail = f"silent (peak {measures.peak_db} dBFS, {min(measures.lufs, lufs)} LUFS)"
            raise BadAudioError(path, "silent", detail, "record it again, nearer to the microphone")
        # The peak is that of the audio as it will be stored: resampling can raise it.
        gain = gain_db(lufs, round(decibels(peak**2), 3), settings.loudness_lufs, settings.peak_db)
        clean = _flac(_scaled(store, np.float32(10.0 ** (gain / 20.0))), rate)
    return _row(found, measures, gain, length, settings), clean


def _measured(blocks: Iterable[Wave], meter: Meter, dc: float) -> Iterator[Wave]:
    for block in blocks:
        meter.add(block)
        yield block - np.float32(dc)


def _resampled(blocks: Iterable[Wave], source: int, target: int) -> Iterator[Wave]:
    if source == target:
        yield from blocks
        return
    stream = soxr.ResampleStream(source, target, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield np.asarray(stream.resample_chunk(block), dtype=np.float32)
    yield np.asarray(stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True), dtype=np.float32)


def _scaled(store: IO[bytes], factor: np.float32) -> Iterator[Wave]:
    store.seek(0)
    while data := store.read(4 * BLOCK):
        yield np.frombuffer(data, dtype=np.float32) * factor


def _flac(blocks: Iterable[Wave], rate: int) -> bytes:
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, 1, subtype="PCM_16", format="FLAC") as file:
        for block in blocks:
            file.write(to_int16(block))
    return buffer.getvalue()


def _row(found: Survey, measures: Measures, gain: float, length: int, settings: Settings) -> dict[str, Any]:
    notes = [*found.notes, *(["clipped"] if found.clipped else []), *measures.notes()]
    return {
        "format": found.format,
        "seconds": round(found.frames / found.rate, 6),
        "sample_rate": found.rate,
        "channels": found.channels,
        "clipped": found.clipped,
        "dc": found.dc,
        **asdict(measures),
        "gain_db": gain,
        "enhanced": settings.enhanced,
        "clean_rate": settings.sample_rate,
        "clean_seconds": round(length / settings.sample_rate, 6),
        "notes": notes,
    }


def _json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, sort_keys=True).encode()
