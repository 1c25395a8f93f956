"""All measures of one clip, by one fixed pair of networks: those of the base, for every take alike.

The recogniser and the reference encoder are the base's own. The same ruler is laid on real recordings, which gives
the floor of the error and the ceiling of the likeness that can be reached under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from voice.audio import resample
from voice.levels import loudness, peak_db
from voice.metrics.alignment import intended_score
from voice.metrics.phone_error import heard_units, phone_edits, phone_error_rate
from voice.metrics.pitch import pitch
from voice.metrics.rate import phones_per_second, speech_seconds
from voice.metrics.speaker import average_spectrum, correlation, cosine, voice_vector
from voice.nets.acoustic import Acoustic
from voice.nets.content_frames import RATE, PhoneRecogniser
from voice.text.units import CTC_UNITS, units_of


@dataclass(frozen=True)
class Measures:
    """`row` holds the figures of a clip by column name, `f0` [V] its voiced frames in Hz."""

    row: dict[str, Any]
    f0: NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """What a voice is compared with: mean reference vector [gin] and mean spectrum [bands] of real recordings."""

    vector: NDArray[np.float64]
    spectrum: NDArray[np.float64]


class Judge:
    """Measures clips with the content encoder that aligns for a base, and the reference encoder of its s2."""

    def __init__(self, content: PhoneRecogniser, acoustic: Acoustic) -> None:
        self.content, self.acoustic = content, acoustic

    def target(self, waves: Sequence[NDArray[np.float32]], rate: int) -> Target:
        """Mean over real recordings [N] at `rate` Hz; each counts the same."""
        vectors = [voice_vector(self.acoustic, wave, rate) for wave in waves]
        vectors = [vector / max(float(np.linalg.norm(vector)), 1e-12) for vector in vectors]
        spectra = [average_spectrum(wave, rate) for wave in waves]
        return Target(np.mean(vectors, axis=0), np.mean(spectra, axis=0))

    @torch.no_grad()
    def measure(self, wave: NDArray[np.float32], rate: int, phones: Sequence[str], target: Target) -> Measures:
        """Figures of `wave` [N] at `rate` Hz that was meant to say `phones`. Raises UserError if none sounds."""
        log_probs = self.content.log_probs(torch.from_numpy(resample(wave, rate, RATE))[None])[0][0]
        meant, heard = units_of(phones), heard_units(log_probs)
        score = intended_score(log_probs, meant)
        edits, found, spoken = phone_edits(heard, meant), pitch(wave, rate), speech_seconds(wave, rate)
        row = {
            "units": len(meant),
            "edits": edits,
            "phone_error": phone_error_rate(edits, len(meant)),
            "heard": " ".join(CTC_UNITS[unit] for unit in heard),
            "alignment_score": score,
            "seconds": len(wave) / rate,
            "speech_seconds": spoken,
            "rate": phones_per_second(len(meant), spoken),
            "f0_median_hz": found.median,
            "f0_iqr_hz": found.spread,
            "voiced_share": found.voiced_share,
            "similarity": cosine(voice_vector(self.acoustic, wave, rate), target.vector),
            "timbre_correlation": correlation(average_spectrum(wave, rate), target.spectrum),
            "peak_db": peak_db(wave),
            "lufs": loudness(wave, rate),
        }
        return Measures({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}, found.voiced)
