"""Audio files in and out, and resampling. Samples are float32 in [-1, 1], mono, shape [N]."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from voice.errors import UserError
from voice.files import write_bytes

Wave = NDArray[np.float32]


def read_audio(path: Path) -> tuple[Wave, int]:
    """Read any file libsndfile knows, whatever its rate, depth and channels (averaged to mono).

    Returns (samples float32 [N], sample rate in Hz). Raises UserError when the file is missing, empty,
    not audio, cut short, or holds values that are not finite.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such audio file", "check the name")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty", "record or copy it again")
    _check_riff_size(path)
    try:
        with soundfile.SoundFile(path) as file:
            expected, rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
        raise UserError(
            f"{path}: not readable as audio: {reason}",
            "use an intact wav, flac, ogg or mp3",
        ) from error
    if len(samples) == 0:
        raise UserError(f"{path}: holds no samples", "record or copy it again")
    if len(samples) < expected:
        raise UserError(
            f"{path}: cut short, {len(samples)} of {expected} samples",
            "copy the whole file again",
        )
    if not np.isfinite(samples).all():
        raise UserError(
            f"{path}: holds values that are not finite",
            "export it again as 16 or 24 bit",
        )
    return np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32)), rate


def _check_riff_size(path: Path) -> None:
    """libsndfile reads a WAV that lost its end without a word, so its header is compared with the file's size."""
    with path.open("rb") as file:
        head = file.read(8)
    promised = int.from_bytes(head[4:8], "little") + 8
    streamed = promised in (8, 0xFFFFFFFF + 8)  # written without knowing the length
    if head[:4] == b"RIFF" and not streamed and promised > path.stat().st_size + 1:
        raise UserError(f"{path}: cut short, {path.stat().st_size} of {promised} bytes", "copy the whole file again")


def channels(path: Path) -> int:
    """Number of channels of an audio file that `read_audio` accepted."""
    return int(soundfile.info(path).channels)


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
