"""Small pictures of a clip: its waveform and its spectrogram as PNG of 16 colours, fast enough for hundreds."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

_LEVELS = 14  # of the spectrogram; two colours are left for the waveform
_PAPER, _INK = 14, 15
_RANGE_DB = 60.0  # below the loudest spot
_WINDOW = 1024
_LONGEST = 60  # seconds that are read; no segment is longer


@dataclass(frozen=True)
class Size:
    """Pixels: the width of both pictures, the height of the waveform, the height of the spectrogram."""

    width: int
    wave: int
    spectrogram: int


@dataclass(frozen=True)
class Pictures:
    """PNG bytes of a waveform and of a spectrogram (0 Hz at the bottom, half the sample rate on top)."""

    wave: bytes
    spectrogram: bytes


def draw(file: Path, size: Size, span: tuple[float, float] | None = None) -> Pictures | None:
    """Both pictures of a sound file or of `span`, start and end in seconds; None where there is nothing to read."""
    try:
        with soundfile.SoundFile(file) as source:
            start, end = (round(second * source.samplerate) for second in span) if span else (0, source.frames)
            source.seek(min(start, source.frames))
            frames = min(max(0, end - start), _LONGEST * source.samplerate)
            sound = source.read(frames, dtype="float32", always_2d=True).mean(axis=1)
    except (soundfile.SoundFileError, OSError):
        return None
    if not len(sound):
        return None
    sound = np.nan_to_num(sound, posinf=1.0, neginf=-1.0)
    return Pictures(
        _png(waveform(sound, size.width, size.wave)), _png(spectrogram(sound, size.width, size.spectrogram))
    )


def waveform(sound: NDArray[np.float32], width: int, height: int) -> NDArray[np.uint8]:
    """Lowest to highest sample of each column, full scale from edge to edge; [height, width] of palette indices."""
    edges = np.linspace(0, len(sound), width + 1).astype(np.int64)[:-1]
    high, low = np.maximum.reduceat(sound, edges), np.minimum.reduceat(sound, edges)
    middle = (height - 1) / 2
    top = np.round(middle * (1 - np.clip(high, -1, 1)))
    bottom = np.round(middle * (1 - np.clip(low, -1, 1)))
    row = np.arange(height)[:, None]
    return np.where((row >= top) & (row <= bottom), _INK, _PAPER).astype(np.uint8)


def spectrogram(sound: NDArray[np.float32], width: int, height: int) -> NDArray[np.uint8]:
    """Loudest bin of each row and column, 60 dB from black to bright; [height, width] of palette indices."""
    padded = np.pad(sound, _WINDOW // 2)
    starts = np.linspace(0, max(0, len(sound) - 1), width).astype(np.int64)
    frames = padded[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)).T ** 2  # [bins, width]
    # Fine at the bottom, where the voice is, coarse on top.
    edges = np.unique(np.round(np.linspace(0, 1, height + 1) ** 1.5 * len(power)).astype(np.int64))[:-1]
    rows = np.maximum.reduceat(power, edges, axis=0)
    rows = rows[np.round(np.linspace(0, len(rows) - 1, height)).astype(np.int64)]
    db = 10 * np.log10(np.maximum(rows, 1e-12))
    level = (db - db.max() + _RANGE_DB) / _RANGE_DB * (_LEVELS - 1)
    return np.clip(np.round(level), 0, _LEVELS - 1).astype(np.uint8)[::-1]


def _palette() -> list[int]:
    colours = matplotlib.colormaps["magma"](np.linspace(0, 1, _LEVELS))[:, :3]
    shades = [*(colours * 255).round().astype(int).ravel().tolist()]
    return [*shades, 255, 255, 255, 31, 111, 235]


def _png(indices: NDArray[np.uint8]) -> bytes:
    picture = Image.fromarray(np.ascontiguousarray(indices)).convert("L")
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette(_palette())
    buffer = io.BytesIO()
    picture.save(buffer, format="png", bits=4, compress_level=6)
    return buffer.getvalue()
