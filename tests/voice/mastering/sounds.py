"""Made-up sound for these tests."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from voice.mastering.tags import Label

RATE = 24000
LABEL = Label("ann", "0123456789abcdef")


def babble(seconds: float, rate: int = RATE, level: float = 0.1, seed: int = 0) -> NDArray[np.float32]:
    """Low-passed noise in syllables with pauses, something like the spectrum and rhythm of speech."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    noise = np.convolve(rng.normal(0.0, 1.0, count + 15), np.ones(16) / 8, "valid")
    time = np.arange(count) / rate
    return (level * noise * np.maximum(0.0, np.sin(2 * np.pi * 2.5 * time)) * (np.sin(time) > -0.6)).astype(np.float32)


def in_parts(wave: NDArray, size: int) -> Iterator[NDArray]:
    for start in range(0, len(wave), size):
        yield wave[start : start + size]


def decoded(path: Path) -> tuple[NDArray[np.float32], int]:
    """All samples of a file, read by PyAV."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        parts = []
        for frame in container.decode(stream):
            data = frame.to_ndarray()[0].astype(np.float32)
            parts.append(data / 32768 if frame.format.name.startswith("s16") else data)
        return np.concatenate(parts), stream.rate


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(buffer, kind)
    return buffer.getvalue()
