"""Likeness of two voices: by the reference encoder of a base, and by the long-term average spectrum.

The encoder belongs to the base and was trained to steer synthesis, not to tell speakers apart. Its figures rank
takes and voices of one base; they must not be compared across bases or with a speaker verification model.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from voice.audio import resample
from voice.mel import linear_spectrogram, log_mel
from voice.nets.acoustic import Acoustic

RATE = 16000
_MELS = 60


@torch.no_grad()
def voice_vector(acoustic: Acoustic, wave: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Reference vector [gin] of `wave` [N] at `rate` Hz; in v2Pro a speaker embedding would join it for synthesis."""
    c = acoustic.config
    own = torch.from_numpy(resample(wave, rate, c.sample_rate))[None]
    spec = linear_spectrogram(own, c.n_fft, c.hop, c.win)
    vector = acoustic.ref_enc(spec, torch.ones(1, 1, spec.shape[2]))[0, :, 0]
    return vector.numpy().astype(np.float64)


def average_spectrum(wave: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Mean log mel spectrum [60] over all frames of `wave` [N] at `rate` Hz (taken at 16 kHz): its timbre, roughly."""
    own = torch.from_numpy(resample(wave, rate, RATE))[None]
    mel = log_mel(own, RATE, 1024, 256, 1024, _MELS)[0]
    return mel.mean(dim=-1).numpy().astype(np.float64)


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Cosine of the angle between two vectors, in [-1, 1]; 0 when one of them is zero."""
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip(a @ b / size, -1.0, 1.0)) if size > 0 else 0.0


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Pearson correlation of two spectra, in [-1, 1], whatever their loudness; 0 when one of them is flat."""
    return cosine(_centred(a), _centred(b))


def _centred(x: NDArray[np.float64]) -> NDArray[np.float64]:
    away = x - x.mean()
    # What rounding leaves of a flat spectrum has a direction, but no meaning.
    return away if float(np.abs(away).max()) > 1e-5 else np.zeros_like(away)
