"""Decoders that work on frames: ConvNeXt blocks at twice the latent's rate, then an inverse STFT (Siuzdak 2023)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from voice.nets.harmonics import MIDDLE_LOG_F0, Harmonics, ShortTime
from voice.nets.layers import ConvNeXt

QUIET = -3.0  # log of both envelopes at the start: about the level of speech


class FrameDecoder(ShortTime):
    """Base of both: the blocks that make hidden frames of latent and condition, and the head that reads them."""

    def __init__(self, inter: int, gin: int, channels: int, blocks: tuple[int, int], n_fft: int, half_hop: int) -> None:
        super().__init__(n_fft, half_hop)
        scale = 1 / sum(blocks)
        self.conv_pre = nn.Conv1d(inter, channels, 7, padding=3)
        self.cond = nn.Conv1d(gin, channels, 1)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.coarse = nn.ModuleList(ConvNeXt(channels, 3 * channels, scale) for _ in range(blocks[0]))
        self.up = nn.ConvTranspose1d(channels, channels, 4, 2, padding=1)
        self.fine = nn.ModuleList(ConvNeXt(channels, 3 * channels, scale) for _ in range(blocks[1]))
        self.norm_post = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, n_fft + 2)

    def frames(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """latent [B, inter, T] -> hidden frames [B, channels, F = 2T]."""
        x = self.conv_pre(x) + self.cond(condition)
        x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        for block in self.coarse:
            x = block(x)
        x = self.up(x)
        for block in self.fine:
            x = block(x)
        return self.norm_post(x.transpose(1, 2)).transpose(1, 2)

    def _halves(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both halves of the head's output, float32 [B, n_fft//2+1, F] each."""
        first, second = self.head(hidden.transpose(1, 2)).transpose(1, 2).float().chunk(2, dim=1)
        return first, second


class IstftDecoder(FrameDecoder):
    """latent [B, inter, T] and condition [B, gin, 1] -> audio [B, 1, T * hop]; the head gives magnitude and phase."""

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        size, phase = self._halves(self.frames(x, condition))
        return self._inverse(torch.polar(size.clamp(max=6.0).exp(), phase)).unsqueeze(1)


class HarmonicDecoder(FrameDecoder, Harmonics):
    """latent [B, inter, T] and condition [B, gin, 1] -> audio [B, 1, T * hop]: a pulse train and noise, filtered.

    The network gives F0, voicing and two spectral envelopes a frame.
    """

    def __init__(self, inter: int, gin: int, sample_rate: int, pitch_channels: int = 96, **sizes: Any) -> None:
        super().__init__(inter, gin, **sizes)
        self.sample_rate = sample_rate
        self.pitch_in = nn.Conv1d(sizes["channels"], pitch_channels, 5, padding=2)
        self.pitch_out = nn.Conv1d(pitch_channels, 2, 5, padding=2)
        nn.init.constant_(self.head.bias, QUIET)

    def parts(self, x: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        hidden = self.frames(x, condition)
        log_f0, voicing = self.pitch(hidden)
        return *self._halves(hidden), log_f0.exp() * (voicing > 0)

    def pitch(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden frames [B, channels, F] -> natural log of F0 in Hz and voicing logit, float32 [B, F] each."""
        out = self.pitch_out(F.gelu(self.pitch_in(hidden))).float()
        return out[:, 0].clamp(-1.5, 1.5) + MIDDLE_LOG_F0, out[:, 1]

    def render(self, hidden: torch.Tensor, f0: torch.Tensor) -> torch.Tensor:
        """Hidden frames [B, channels, F] and F0 in Hz, 0 where unvoiced [B, F] -> audio [B, 1, F * half_hop]."""
        return self.sound(*self._halves(hidden), f0)
