"""Audio files in and out, and resampling. Samples are float32 in [-1, 1], mono, shape [N]."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from voice.files import write_bytes
from voice.recording.decode import BadAudioError, open_audio

Wave = NDArray[np.float32]


def read_audio(path: Path) -> tuple[Wave, int]:
    """Read a whole file of any kind that `voice.recording.decode` knows, any rate and depth; channels become one.

    Returns (samples float32 [N], sample rate in Hz). Raises UserError when the file is missing, and BadAudioError
    when it is empty, not audio, cut short, or holds values that are not finite.
    """
    with open_audio(path) as source:
        blocks = [block.mean(axis=1, dtype=np.float32) for block in source.blocks]
    if not blocks:
        raise BadAudioError(path, "empty", "holds no samples", "record or copy it again")
    return np.concatenate(blocks), source.rate


def resample(wave: Wave, source: int, target: int) -> Wave:
    """`wave` at `source` Hz brought to `target` Hz by soxr (HQ); float32 [round(N target/source)]."""
    if source == target:
        return wave
    return np.asarray(soxr.resample(wave, source, target, quality="HQ"), dtype=np.float32)


def to_int16(wave: Wave) -> NDArray[np.int16]:
    """Samples as 16 bit integers; those outside [-1, 1] are held at the end of the range."""
    return np.clip(np.rint(wave * 32768.0), -32768, 32767).astype(np.int16)


def write_flac(path: Path, wave: Wave, rate: int) -> None:
    """Write mono 16 bit FLAC, whole or not at all; the same samples give the same bytes."""
    _write(path, wave, rate, "FLAC")


def write_wav(path: Path, wave: Wave, rate: int) -> None:
    """Write mono 16 bit WAV, whole or not at all; the same samples give the same bytes."""
    _write(path, wave, rate, "WAV")


def _write(path: Path, wave: Wave, rate: int, kind: str) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, to_int16(wave), rate, format=kind, subtype="PCM_16")
    write_bytes(path, buffer.getvalue())
