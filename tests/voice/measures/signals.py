"""Signals that the measures of recordings are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.audio import read_audio

ROOT = Path(__file__).resolve().parents[3]
Wave = NDArray[np.float32]


def demo(voice: str = "demo_en", seconds: float = 30.0) -> tuple[Wave, int]:
    """The start of a demo recording: clean synthetic speech with pauses."""
    wave, rate = read_audio(ROOT / f"data/raw/{voice}/recording.flac")
    return wave[: round(seconds * rate)], rate


def pieces(wave: Wave, *, seed: int = 0, longest: int = 70000) -> Iterator[Wave]:
    """`wave` in blocks of odd lengths, some of them empty."""
    rng = np.random.default_rng(seed)
    start = 0
    while start < len(wave):
        length = int(rng.integers(0, longest))
        yield wave[start : start + length]
        start += length


def fed(meter: Any, wave: Wave, seed: int = 0) -> Any:
    """`meter` after all of `wave`, in pieces."""
    for piece in pieces(wave, seed=seed):
        meter.add(piece)
    return meter


def tone(hertz: float, rate: int, seconds: float, level: float = 0.5, phase: float = 0.0) -> Wave:
    """A sine."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate + phase)).astype(np.float32)
