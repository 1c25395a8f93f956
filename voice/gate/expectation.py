"""What is known of a voice beforehand, from clips that are known to be good: its reference, or lines that passed.

No network is needed: timbre is the long-term spectrum (mean log mel, 60 bands), pitch the median of F0. These tell a
man from a woman and one room from another; two like voices of one studio they do not tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.audio import resample
from voice.f0 import f0_track
from voice.gate.sound import RATE, Level, fill_db
from voice.metrics.speaker import average_spectrum, correlation

_HOP = 320  # 20 ms


@dataclass(frozen=True)
class Clip:
    """A good take: samples [N], their rate in Hz, and how many sounds it says (None: not known)."""

    wave: NDArray[np.float32]
    rate: int
    sounds: int | None = None


@dataclass(frozen=True)
class Expectation:
    """None where nothing is known; that check is then left out, or made against a figure for any voice.

    - pace: sounds a second of speech; fill: the highest `fill_db` of its good takes
    - spectrum: mean log mel [60] at 16 kHz; pitch: median F0, log2 of Hz
    """

    pace: float | None = None
    fill: float | None = None
    spectrum: NDArray[np.float64] | None = None
    pitch: float | None = None

    @classmethod
    def of(cls, clips: Sequence[Clip]) -> Expectation:
        """From clips of the voice; nothing is known without any."""
        if not clips:
            return cls()
        waves = [resample(clip.wave, clip.rate, RATE) for clip in clips]
        levels = [Level.of(wave) for wave in waves]
        timed = [
            (clip.sounds, level.speech()) for clip, level in zip(clips, levels, strict=True) if clip.sounds is not None
        ]
        seconds = sum(time for _, time in timed)
        tones = [tone for wave in waves if (tone := pitch_of(wave)) is not None]
        return cls(
            pace=sum(sounds for sounds, _ in timed) / seconds if seconds > 0 else None,
            fill=max(fill_db(wave) for wave in waves),
            spectrum=np.mean([average_spectrum(wave, RATE) for wave in waves], axis=0),
            pitch=float(np.median(tones)) if tones else None,
        )

    def likeness(self, wave: NDArray[np.float32]) -> float | None:
        """Correlation of the long-term spectrum of 16 kHz audio with the voice's, None when it is not known."""
        return None if self.spectrum is None else correlation(average_spectrum(wave, RATE), self.spectrum)

    def semitones(self, wave: NDArray[np.float32]) -> float | None:
        """How far the median F0 of 16 kHz audio lies from the voice's; None when one of them is not known."""
        if self.pitch is None or (tone := pitch_of(wave)) is None:
            return None
        return 12.0 * abs(tone - self.pitch)


def pitch_of(wave: NDArray[np.float32]) -> float | None:
    """Median F0 of the voiced frames of 16 kHz audio, log2 of Hz; None without any."""
    track = f0_track(wave, RATE, _HOP)
    voiced = track[track > 0]
    return float(np.median(np.log2(voiced))) if len(voiced) else None
