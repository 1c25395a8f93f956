"""Sounds for tests of where speech is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.signal import lfilter

ENGLISH = Path(__file__).resolve().parents[3] / "data/raw/demo_en/recording.flac"
RATE = 16000


def tone(hertz: float, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE)


def vowel(seconds: float) -> np.ndarray:
    """A pulse train of 120 Hz with a slow vibrato through three formants, as of one long "ah"."""
    time = np.arange(round(RATE * seconds)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 4 * np.sin(2 * np.pi * 5 * time)) / RATE
    sound = sum(np.cos(k * phase) for k in range(1, 40))
    for centre, width in ((700, 80), (1200, 90), (2600, 120)):
        r = np.exp(-np.pi * width / RATE)
        sound = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * centre / RATE), r * r], sound)
    return np.asarray(0.5 * sound / np.abs(sound).max())


def tune(seconds: float) -> np.ndarray:
    """Plucked notes of a scale, four a second."""
    out = np.zeros(round(RATE * seconds) + RATE)
    notes = np.random.default_rng(3).choice([0, 2, 4, 5, 7, 9, 11, 12], int(seconds * 4))
    for number, note in enumerate(notes):
        start = number * RATE // 4
        decay = np.exp(-6 * np.arange(RATE) / RATE)
        out[start : start + RATE] += sum(decay * tone(220 * 2 ** (note / 12) * k, 1) / k for k in (1, 2, 3, 4))
    return 0.5 * out[: round(RATE * seconds)] / np.abs(out).max()


def chords(seconds: float) -> np.ndarray:
    roots = 2.0 ** (np.random.default_rng(4).integers(0, 7, int(seconds / 2)) / 12)
    parts = [
        sum(tone(220 * root * 2 ** (step / 12) * k, 2) / k for step in (0, 4, 7) for k in (1, 2, 3))
        * np.hanning(2 * RATE) ** 0.3
        for root in roots
    ]
    return 0.1 * np.concatenate(parts)


def clicks(seconds: float) -> np.ndarray:
    out = np.zeros(round(RATE * seconds))
    for start in range(RATE // 2, len(out) - 100, RATE // 2):
        out[start : start + 48] = np.random.default_rng(start).normal(0, 0.3, 48)
    return out
