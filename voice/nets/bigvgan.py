"""BigVGAN v2: mel bands or latent frames to waveform (Lee et al. 2023, "BigVGAN", sections 2 and 3, and its v2).

- HiFi-GAN's skeleton with a periodic activation, so that harmonics need not be built from kinks
- each activation works at twice the rate between two low-pass filters: what it adds above half the rate is taken out
  before it can fold back
- the vocoder of the published v3 with `BIGVGAN_24K_100BAND`, or a decoder of s2 at any size
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from voice.nets.upsampling import Upsampling

RATIO, TAPS = 2, 12  # oversampling of the activations, length of their low-pass filters
CUTOFF, HALF_WIDTH = 0.25, 0.3  # of the filters at the higher rate: pass band edge and half of the transition band

# Sizes of bigvgan_v2_24khz_100band_256x, which takes 100 mel bands and no condition (specification, section on v3).
BIGVGAN_24K_100BAND: dict[str, Any] = {
    "channels": 1536,
    "rates": (4, 4, 2, 2, 2, 2),
    "kernels": (8, 8, 4, 4, 4, 4),
}


def kaiser_sinc(taps: int = TAPS, cutoff: float = CUTOFF, half_width: float = HALF_WIDTH) -> torch.Tensor:
    """Low-pass filter [taps] of unit gain at 0 Hz; `cutoff` and `half_width` are in cycles a sample.

    The Kaiser window's shape follows from the filter's length and transition band (Kaiser 1974).
    """
    attenuation = 2.285 * (taps // 2 - 1) * math.pi * 4 * half_width + 7.95  # dB
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    elif attenuation >= 21:
        beta = 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    else:
        beta = 0.0
    place = torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2
    window = torch.kaiser_window(taps, periodic=False, beta=beta, dtype=torch.float64)
    filter_ = window * torch.sinc(2 * cutoff * place)
    return (filter_ / filter_.sum()).float()


class SnakeBeta(nn.Module):
    """x + sin^2(x * e^alpha) / e^beta on [B, C, T], with a frequency and a size of its own for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wave = torch.sin(x * self.alpha.exp()[:, None]).square()
        return x + wave / (self.beta.exp()[:, None] + 1e-9)


class AliasFree(nn.Module):
    """SnakeBeta at twice the rate: up, activate, down; [B, C, T] -> [B, C, T]. Edges repeat the outermost sample.

    The filter is a constant, kept out of the weights so that a half-precision file does not blur it.
    """

    taps: torch.Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.act = SnakeBeta(channels)
        self.register_buffer("taps", kaiser_sinc()[None, None], persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        channels = x.shape[1]
        taps = self.taps.expand(channels, -1, -1)
        reach = TAPS // RATIO - 1
        wide = F.pad(x, (reach, reach), mode="replicate")
        wide = RATIO * F.conv_transpose1d(wide, taps, stride=RATIO, groups=channels)
        cut = reach * RATIO + (TAPS - RATIO) // 2  # what the padding became, and the filter's own delay
        wide = self.act(wide[..., cut:-cut])
        # An even filter lies half a sample off; one more sample on the right centres the pair of up and down.
        wide = F.pad(wide, (TAPS // 2 - 1, TAPS // 2), mode="replicate")
        return F.conv1d(wide, taps, stride=RATIO, groups=channels)


class AmpBlock(nn.Module):
    """Anti-aliased multi-periodicity block, type 1: pairs of dilated and plain convolutions, each with a residual."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()

        def conv(dilation: int) -> nn.Module:
            pad = (kernel - 1) * dilation // 2
            return weight_norm(nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=pad))

        self.convs1 = nn.ModuleList(conv(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations)
        self.activations = nn.ModuleList(AliasFree(channels) for _ in range(2 * len(dilations)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number, (first, second) in enumerate(zip(self.convs1, self.convs2, strict=True)):
            y = first(self.activations[2 * number](x))
            x = x + second(self.activations[2 * number + 1](y))
        return x


class BigVgan(Upsampling):
    """inputs [B, inter, T] and condition [B, gin, 1] -> audio in [-1, 1], [B, 1, T * prod(rates)].

    Each stage halves `channels`. With gin 0 there is no condition; `tanh` ends in a tanh, not in a clamp; `post_bias`
    gives the last convolution a bias. Raises ValueError when rates and kernels cannot give that length.
    """

    def __init__(
        self,
        inter: int,
        gin: int,
        channels: int,
        rates: tuple[int, ...],
        kernels: tuple[int, ...],
        block_kernels: tuple[int, ...] = (3, 7, 11),
        block_dilations: tuple[int, ...] = (1, 3, 5),
        tanh: bool = False,
        post_bias: bool = False,
    ) -> None:
        for rate, kernel in zip(rates, kernels, strict=True):
            if kernel < rate or (kernel - rate) % 2:
                raise ValueError(f"kernel {kernel} does not fit rate {rate}: it must exceed it by an even number")
        if channels % 2 ** len(rates):
            raise ValueError(f"{channels} channels cannot be halved {len(rates)} times")

        def block(width: int, kernel: int) -> nn.Module:
            return AmpBlock(width, kernel, block_dilations)

        super().__init__(inter, gin, channels, rates, kernels, block_kernels, block)
        self.tanh = tanh
        weight_norm(self.conv_pre)
        self.activation_post = AliasFree(self.width)
        self.conv_post = weight_norm(nn.Conv1d(self.width, 1, 7, padding=3, bias=post_bias))

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """`condition` is needed by a network with gin above 0, and without effect on the others."""
        x = self.raised(x, condition)
        x = self.conv_post(self.activation_post(x))
        return torch.tanh(x) if self.tanh else x.clamp(-1.0, 1.0)
