"""Harmonic-plus-noise synthesis: a pulse train and noise, each shaped by a spectral envelope, overlapped and added.

Phase comes from the running F0, so no step of training goes into learning it (harmonic plus noise model, Stylianou
2001; neural source-filter, Wang et al. 2019).
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

MIDDLE_LOG_F0 = math.log(170.0)  # of Hz, between men and women: where there is no voice, and where an F0 head starts


class ShortTime(nn.Module):
    """Base of the decoders that make spectra: windowed transforms of `n_fft` samples every `half_hop`, and back."""

    window: torch.Tensor

    def __init__(self, n_fft: int, half_hop: int) -> None:
        super().__init__()
        self.n_fft, self.half_hop = n_fft, half_hop
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def _analyse(self, wav: torch.Tensor) -> torch.Tensor:
        """Spectra [B, n_fft//2+1, F] of the frames of [B, F * half_hop] that `_inverse` puts back."""
        left = (self.n_fft - self.half_hop) // 2
        padded = F.pad(wav, (left, self.n_fft - self.half_hop - left))
        frames = padded.unfold(1, self.n_fft, self.half_hop) * self.window
        return torch.fft.rfft(frames).transpose(1, 2)

    def _inverse(self, spec: torch.Tensor) -> torch.Tensor:
        """Overlap-add of [B, n_fft//2+1, F] frames centred on F * half_hop samples -> [B, F * half_hop]."""
        frames = torch.fft.irfft(spec, self.n_fft, dim=1) * self.window[None, :, None]
        count = spec.shape[-1]
        size = (count - 1) * self.half_hop + self.n_fft
        out = F.fold(frames, (1, size), (1, self.n_fft), stride=(1, self.half_hop))[:, 0, 0]
        square = self.window.square()[None, :, None].expand(1, -1, count)
        weight = F.fold(square, (1, size), (1, self.n_fft), stride=(1, self.half_hop))[:, 0, 0]
        left = (self.n_fft - self.half_hop) // 2
        inside = slice(left, left + count * self.half_hop)
        return out[:, inside] / weight[:, inside].clamp(min=1e-3)


class Harmonics(ShortTime):
    """Base of the decoders whose network gives F0 and two envelopes a frame; those set `sample_rate` and `parts`."""

    sample_rate: int

    def parts(self, x: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """latent [B, inter, T], condition [B, gin, 1] -> what `sound` takes, F = 2T."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """latent [B, inter, T], condition [B, gin, 1] -> audio [B, 1, 2T * half_hop]."""
        return self.sound(*self.parts(x, condition))

    def sound(self, tonal: torch.Tensor, breath: torch.Tensor, f0: torch.Tensor) -> torch.Tensor:
        """Log envelopes of pulses and noise [B, n_fft//2+1, F], F0 in Hz, 0 where unvoiced [B, F] -> audio.

        Audio is [B, 1, F * half_hop].
        """
        voiced = (f0 > 0).float()
        size = f0.shape[1] * self.half_hop
        # Noise is the same for every call outside training, so that equal tokens give equal samples.
        fixed = None if self.training else torch.Generator(f0.device).manual_seed(0)
        noise = torch.randn(f0.shape[0], size, generator=fixed, device=f0.device)
        spec = self._analyse(self.pulses(f0)) * tonal.clamp(max=6.0).exp() * voiced[:, None]
        spec = spec + self._analyse(noise) * breath.clamp(max=6.0).exp()
        return self._inverse(spec).unsqueeze(1)

    @torch.no_grad()
    def pulses(self, f0: torch.Tensor) -> torch.Tensor:
        """F0 [B, F] -> all its harmonics below half the rate with equal size, unit power, [B, F * half_hop]."""
        samples = F.interpolate(bridge(f0)[:, None], scale_factor=self.half_hop, mode="linear")[:, 0].double()
        phase = (samples / self.sample_rate).cumsum(1)
        phase = phase - phase.round()
        count = (0.5 * self.sample_rate / samples).floor()
        # Sum of cosines 1..n in closed form; at the pulse itself it is n.
        below = torch.sin(torch.pi * phase)
        ratio = torch.sin((2 * count + 1) * torch.pi * phase) / (2 * torch.where(below.abs() < 1e-7, 1.0, below))
        train = torch.where(below.abs() < 1e-7, count, ratio - 0.5)
        return (train * (4 * samples / self.sample_rate).sqrt()).float()


def bridge(f0: torch.Tensor) -> torch.Tensor:
    """F0 [B, F] with the unvoiced frames (0) filled from the last voiced one, or the first, or MIDDLE_LOG_F0."""
    place = torch.arange(f0.shape[1], device=f0.device).expand_as(f0)
    last = torch.where(f0 > 0, place, -1).cummax(1).values
    first = torch.where(f0 > 0, place, f0.shape[1]).amin(1, keepdim=True).clamp(max=f0.shape[1] - 1)
    filled = f0.gather(1, torch.where(last < 0, first, last))
    return torch.where(filled > 0, filled, math.exp(MIDDLE_LOG_F0))
