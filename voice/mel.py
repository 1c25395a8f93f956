"""Linear and mel spectrograms, framed as the SoVITS decoder expects (specification 3.2)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from voice.librosa_parts import part


@lru_cache(maxsize=8)
def _filter_bank(rate: int, n_fft: int, mels: int) -> torch.Tensor:
    """Slaney mel filters, [mels, n_fft//2+1] float32 (librosa's default: area-normalised)."""
    return torch.from_numpy(part("filters").mel(sr=rate, n_fft=n_fft, n_mels=mels, fmin=0.0, fmax=None))


def mel_centres(rate: int, mels: int) -> NDArray[np.float64]:
    """Middle of each of the `mels` filters in Hz."""
    return part("core.convert").mel_frequencies(n_mels=mels + 2, fmin=0.0, fmax=rate / 2)[1:-1]


@lru_cache(maxsize=16)
def _window(size: int) -> torch.Tensor:
    return torch.hann_window(size)


def linear_spectrogram(wav: torch.Tensor, n_fft: int, hop: int, win: int) -> torch.Tensor:
    """Magnitude spectrogram sqrt(re^2 + im^2 + 1e-8) of wav [B, N] -> [B, n_fft//2+1, floor(N/hop)], float32.

    Reflect padding of (n_fft - hop)/2 on each side, periodic Hann window, no centring.
    """
    pad = (n_fft - hop) // 2
    wav = F.pad(wav.float().unsqueeze(1), (pad, n_fft - hop - pad), mode="reflect").squeeze(1)
    window = _window(win).to(wav.device)
    spec = torch.stft(wav, n_fft, hop, win, window, center=False, return_complex=True)
    return torch.sqrt(torch.view_as_real(spec).square().sum(-1) + 1e-8)


def mel_from_linear(spec: torch.Tensor, rate: int, mels: int) -> torch.Tensor:
    """Log mel log(max(x, 1e-5)) of a linear spectrogram [B, bins, T] -> [B, mels, T]."""
    bank = _filter_bank(rate, 2 * (spec.shape[-2] - 1), mels).to(spec.device)
    return torch.log(torch.clamp(bank @ spec, min=1e-5))


def log_mel(wav: torch.Tensor, rate: int, n_fft: int, hop: int, win: int, mels: int) -> torch.Tensor:
    """`mel_from_linear(linear_spectrogram(wav))`: [B, N] -> [B, mels, floor(N/hop)]."""
    return mel_from_linear(linear_spectrogram(wav, n_fft, hop, win), rate, mels)
