"""Decoders from latent frames to waveform, chosen by name in the acoustic config.

- `hifigan`: transposed convolutions and multi-receptive-field blocks (Kong et al. 2020), as in the published weights
- `bigvgan`: the same skeleton with anti-aliased periodic activations (`voice.nets.bigvgan`): the costliest
- `istft`: ConvNeXt blocks at twice the frame rate and an inverse STFT (Siuzdak 2023): far cheaper on a CPU
- `harmonic`: the same blocks shaping a pulse train and noise, with its own F0: learns from hours of speech
- `envelope`: the same sound from latents that analysis gives by rule (`voice.nets.envelope`): the mini base
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from voice.nets.bigvgan import BigVgan
from voice.nets.envelope import EnvelopeDecoder
from voice.nets.frame_decoder import HarmonicDecoder, IstftDecoder
from voice.nets.upsampling import Upsampling

SLOPE = 0.1


class ResidualBlock(nn.Module):
    """Three pairs of dilated and plain convolutions, each with a residual (HiFi-GAN type 1)."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...], norm: bool = True) -> None:
        super().__init__()

        def conv(dilation: int) -> nn.Module:
            pad = (kernel - 1) * dilation // 2
            plain = nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=pad)
            return weight_norm(plain) if norm else plain

        self.convs1 = nn.ModuleList(conv(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for first, second in zip(self.convs1, self.convs2, strict=True):
            x = x + second(F.leaky_relu(first(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


class HifiGan(Upsampling):
    """latent [B, inter, T] and condition [B, gin, 1] -> audio [B, 1, T * prod(rates)] (specification 3.7).

    With gin 0 there is no condition; `post_bias` gives the last convolution a bias; without `norm` weights are plain.
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
        post_bias: bool = False,
        norm: bool = True,
    ) -> None:
        def block(width: int, kernel: int) -> nn.Module:
            return ResidualBlock(width, kernel, block_dilations, norm)

        super().__init__(inter, gin, channels, rates, kernels, block_kernels, block, norm)
        self.conv_post = nn.Conv1d(self.width, 1, 7, padding=3, bias=post_bias)

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """`condition` is needed by a network with gin above 0, and without effect on the others."""
        x = self.raised(x, condition)
        return torch.tanh(self.conv_post(F.leaky_relu(x)))  # the last slope is 0.01, unlike the others

    def bend(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(x, SLOPE)


# Each takes inter, gin, sample rate, hop and the class's own sizes.
DECODERS: dict[str, Callable[..., nn.Module]] = {
    "hifigan": lambda inter, gin, rate, hop, **sizes: HifiGan(inter, gin, **sizes),
    "bigvgan": lambda inter, gin, rate, hop, **sizes: BigVgan(inter, gin, **sizes),
    "istft": lambda inter, gin, rate, hop, **sizes: IstftDecoder(inter, gin, half_hop=hop // 2, **sizes),
    "harmonic": lambda inter, gin, rate, hop, **sizes: HarmonicDecoder(inter, gin, rate, half_hop=hop // 2, **sizes),
    "envelope": lambda inter, gin, rate, hop, **sizes: EnvelopeDecoder(inter, gin, rate, half_hop=hop // 2, **sizes),
}


def make_decoder(name: str, inter: int, gin: int, rate: int, hop: int, options: dict[str, object]) -> nn.Module:
    """Decoder by name. `options` are the class's own sizes; `rates` among them must multiply to `hop`.

    Raises ValueError when they do not, and on an unknown name.
    """
    if name not in DECODERS:
        raise ValueError(f"unknown decoder {name!r}: choose one of {', '.join(sorted(DECODERS))}")
    settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    if math.prod(settings.get("rates", (hop,))) != hop:
        raise ValueError(f"{name}: rates {settings['rates']} do not multiply to {hop} samples a frame")
    return DECODERS[name](inter, gin, rate, hop, **settings)
