"""Latent frames that mean something, and the decoder that makes sound of them.

A latent of 20 ms holds two frames of 10 ms: cepstra of the log-mel spectrum, log F0, voicing. Analysis of the sound
gives it by rule (`FrameCode`), so no posterior encoder has to be learnt, F0 is exact where speech is copied, and the
decoder begins as a vocoder that already speaks: the spectrum that the latent describes, laid over pulses and noise
(harmonic plus noise model, Stylianou 2001). A network then divides it between the two and sharpens it.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
import torch
from torch import nn

from voice.mel import linear_spectrogram, mel_centres, mel_from_linear
from voice.nets.harmonics import MIDDLE_LOG_F0, Harmonics, bridge
from voice.nets.layers import ConvNeXt

FLOOR = -9.0  # of the log-mel spectrum: digital silence would say more than any sound
LOG_F0_SPREAD = 0.35


class FrameCode(nn.Module):
    """Sound <-> latent [B, 2 * (cepstra + 2), T]; `mean` and `spread` of each value are fitted on a corpus."""

    mean: torch.Tensor
    spread: torch.Tensor
    basis: torch.Tensor

    def __init__(self, inter: int, sample_rate: int, half_hop: int, n_fft: int, mels: int) -> None:
        super().__init__()
        self.sample_rate, self.half_hop, self.n_fft, self.mels = sample_rate, half_hop, n_fft, mels
        self.width = inter // 2
        self.cepstra = self.width - 2
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("spread", torch.ones(self.width))
        self.register_buffer("basis", _dct(mels, self.cepstra), persistent=False)

    def analyse(self, wav: torch.Tensor, f0: torch.Tensor) -> torch.Tensor:
        """[B, N] and F0 in Hz, 0 where unvoiced, [B, F = N / half_hop] -> values as they are [B, width, F]."""
        spec = linear_spectrogram(wav, self.n_fft, self.half_hop, self.n_fft)[..., : f0.shape[1]]
        mel = mel_from_linear(spec, self.sample_rate, self.mels).clamp(min=FLOOR)
        cepstra = self.basis @ mel
        pitch = (bridge(f0).log() - MIDDLE_LOG_F0) / LOG_F0_SPREAD
        voicing = torch.where(f0 > 0, 1.0, -1.0)
        return torch.cat([cepstra, pitch[:, None], voicing[:, None]], dim=1)

    def encode(self, wav: torch.Tensor, f0: torch.Tensor) -> torch.Tensor:
        """[B, N], [B, F], F even -> latent [B, 2 * width, F / 2] of about unit spread."""
        values = (self.analyse(wav, f0) - self.mean[:, None]) / self.spread[:, None]
        return torch.cat([values[..., 0::2], values[..., 1::2]], dim=1)

    def unfold(self, latent: torch.Tensor) -> torch.Tensor:
        """Latent [B, 2 * width, T] -> values of about unit spread, a frame each 10 ms [B, width, 2T]."""
        batch, _, steps = latent.shape
        return latent.view(batch, 2, self.width, steps).permute(0, 2, 3, 1).reshape(batch, self.width, 2 * steps)

    def read(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`unfold`ed values -> log-mel [B, mels, F], F0 in Hz, 0 where unvoiced [B, F]."""
        real = values.float() * self.spread[:, None] + self.mean[:, None]
        log_f0 = (real[:, -2] * LOG_F0_SPREAD).clamp(-1.5, 1.5) + MIDDLE_LOG_F0
        return self.basis.T @ real[:, : self.cepstra], log_f0.exp() * (real[:, -1] > 0)


class EnvelopeDecoder(Harmonics):
    """latent [B, inter, T] -> audio [B, 1, T * hop]; the condition is not needed: the latent tells the voice."""

    spread_over: torch.Tensor

    def __init__(
        self, inter: int, gin: int, sample_rate: int, half_hop: int, channels: int, blocks: int, n_fft: int, mels: int
    ) -> None:
        super().__init__(n_fft, half_hop)
        self.sample_rate = sample_rate
        self.code = FrameCode(inter, sample_rate, half_hop, n_fft, mels)
        self.conv_pre = nn.Conv1d(self.code.width, channels, 7, padding=3)
        self.blocks = nn.ModuleList(ConvNeXt(channels, 3 * channels, 1 / blocks) for _ in range(blocks))
        self.norm_post = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, n_fft + 2)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("spread_over", _between(sample_rate, n_fft, mels), persistent=False)
        # From a band, a mean but for its filter's area, to the size of a bin; less that of a frame of unit noise.
        hann = scipy.signal.get_window("hann", n_fft)
        self.gain = math.log(sample_rate / n_fft) - 0.5 * math.log(float(np.square(hann).sum()))

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        return self.sound(*self.parts(x))

    def parts(
        self, x: torch.Tensor, condition: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What `sound` takes, made of the latent alone: `condition` is there because other decoders need it."""
        values = self.code.unfold(x)
        mel, f0 = self.code.read(values)
        hidden = self.conv_pre(values)
        for block in self.blocks:
            hidden = block(hidden)
        change = self.head(self.norm_post(hidden.transpose(1, 2))).transpose(1, 2).float()
        tonal, breath = change.chunk(2, dim=1)
        envelope = self.spread_over @ mel + self.gain
        quieter = torch.where(f0 > 0, 2.0, 0.0)[:, None]
        return envelope + tonal, envelope + breath - quieter, f0


def _dct(mels: int, kept: int) -> torch.Tensor:
    """Orthonormal DCT-II, the first `kept` rows [kept, mels]."""
    return torch.from_numpy(scipy.fft.dct(np.eye(mels), axis=0, norm="ortho")[:kept].astype(np.float32))


def _between(rate: int, n_fft: int, mels: int) -> torch.Tensor:
    """Log-mel bands to every bin, linear between the bands' middles [n_fft // 2 + 1, mels]."""
    bins = np.arange(n_fft // 2 + 1) * rate / n_fft
    rows = [np.interp(bins, mel_centres(rate, mels), band) for band in np.eye(mels)]
    return torch.from_numpy(np.stack(rows, axis=1).astype(np.float32))
