"""Decoders from latent frames to waveform, chosen by name in the acoustic config.

- `hifigan`: transposed convolutions and multi-receptive-field blocks (Kong et al. 2020), as in the published weights
- `bigvgan`: the same skeleton with anti-aliased periodic activations (`voice.nets.bigvgan`): the costliest
- `istft`: ConvNeXt blocks at twice the frame rate and an inverse STFT (Siuzdak 2023): far cheaper on a CPU
- `harmonic`: the same blocks shaping a pulse train and noise, with its own F0: learns from hours of speech
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
from voice.nets.layers import ConvNeXt
from voice.nets.upsampling import Upsampling

SLOPE = 0.1
QUIET = -3.0  # log of both envelopes at the start: about the level of speech
MIDDLE_LOG_F0 = math.log(170.0)  # between men and women: where the F0 head starts


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


class FrameDecoder(nn.Module):
    """Base of the decoders that work on frames: ConvNeXt blocks at twice the latent's rate, then an inverse STFT."""

    window: torch.Tensor

    def __init__(self, inter: int, gin: int, channels: int, blocks: tuple[int, int], n_fft: int, half_hop: int) -> None:
        super().__init__()
        self.n_fft, self.half_hop = n_fft, half_hop
        scale = 1 / sum(blocks)
        self.conv_pre = nn.Conv1d(inter, channels, 7, padding=3)
        self.cond = nn.Conv1d(gin, channels, 1)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.coarse = nn.ModuleList(ConvNeXt(channels, 3 * channels, scale) for _ in range(blocks[0]))
        self.up = nn.ConvTranspose1d(channels, channels, 4, 2, padding=1)
        self.fine = nn.ModuleList(ConvNeXt(channels, 3 * channels, scale) for _ in range(blocks[1]))
        self.norm_post = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, n_fft + 2)
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

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


class IstftDecoder(FrameDecoder):
    """latent [B, inter, T] and condition [B, gin, 1] -> audio [B, 1, T * hop]; the head gives magnitude and phase."""

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        size, phase = self._halves(self.frames(x, condition))
        return self._inverse(torch.polar(size.clamp(max=6.0).exp(), phase)).unsqueeze(1)


class HarmonicDecoder(FrameDecoder):
    """latent [B, inter, T] and condition [B, gin, 1] -> audio [B, 1, T * hop]: a pulse train and noise, filtered.

    The network gives F0, voicing and two spectral envelopes a frame; phase comes from the running F0, so no step of
    training goes into learning it (harmonic plus noise model, Stylianou 2001; neural source-filter, Wang et al. 2019).
    """

    def __init__(self, inter: int, gin: int, sample_rate: int, pitch_channels: int = 96, **sizes: Any) -> None:
        super().__init__(inter, gin, **sizes)
        self.sample_rate = sample_rate
        self.pitch_in = nn.Conv1d(sizes["channels"], pitch_channels, 5, padding=2)
        self.pitch_out = nn.Conv1d(pitch_channels, 2, 5, padding=2)
        nn.init.constant_(self.head.bias, QUIET)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        hidden = self.frames(x, condition)
        log_f0, voicing = self.pitch(hidden)
        return self.render(hidden, log_f0.exp() * (voicing > 0))

    def pitch(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden frames [B, channels, F] -> natural log of F0 in Hz and voicing logit, float32 [B, F] each."""
        out = self.pitch_out(F.gelu(self.pitch_in(hidden))).float()
        return out[:, 0].clamp(-1.5, 1.5) + MIDDLE_LOG_F0, out[:, 1]

    def render(self, hidden: torch.Tensor, f0: torch.Tensor) -> torch.Tensor:
        """Hidden frames [B, channels, F] and F0 in Hz, 0 where unvoiced [B, F] -> audio [B, 1, F * half_hop]."""
        tonal, breath = self._halves(hidden)
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
        samples = F.interpolate(_bridge(f0)[:, None], scale_factor=self.half_hop, mode="linear")[:, 0].double()
        phase = (samples / self.sample_rate).cumsum(1)
        phase = phase - phase.round()
        count = (0.5 * self.sample_rate / samples).floor()
        # Sum of cosines 1..n in closed form; at the pulse itself it is n.
        below = torch.sin(torch.pi * phase)
        ratio = torch.sin((2 * count + 1) * torch.pi * phase) / (2 * torch.where(below.abs() < 1e-7, 1.0, below))
        train = torch.where(below.abs() < 1e-7, count, ratio - 0.5)
        return (train * (4 * samples / self.sample_rate).sqrt()).float()

    def _analyse(self, wav: torch.Tensor) -> torch.Tensor:
        """Spectra [B, n_fft//2+1, F] of the frames of [B, F * half_hop] that `_inverse` puts back."""
        left = (self.n_fft - self.half_hop) // 2
        padded = F.pad(wav, (left, self.n_fft - self.half_hop - left))
        frames = padded.unfold(1, self.n_fft, self.half_hop) * self.window
        return torch.fft.rfft(frames).transpose(1, 2)


def _bridge(f0: torch.Tensor) -> torch.Tensor:
    """F0 [B, F] with the unvoiced frames (0) filled from the last voiced one, or the first, or MIDDLE_LOG_F0."""
    place = torch.arange(f0.shape[1], device=f0.device).expand_as(f0)
    last = torch.where(f0 > 0, place, -1).cummax(1).values
    first = torch.where(f0 > 0, place, f0.shape[1]).amin(1, keepdim=True).clamp(max=f0.shape[1] - 1)
    filled = f0.gather(1, torch.where(last < 0, first, last))
    return torch.where(filled > 0, filled, math.exp(MIDDLE_LOG_F0))


# Each takes inter, gin, sample rate, hop and the class's own sizes.
DECODERS: dict[str, Callable[..., nn.Module]] = {
    "hifigan": lambda inter, gin, rate, hop, **sizes: HifiGan(inter, gin, **sizes),
    "bigvgan": lambda inter, gin, rate, hop, **sizes: BigVgan(inter, gin, **sizes),
    "istft": lambda inter, gin, rate, hop, **sizes: IstftDecoder(inter, gin, half_hop=hop // 2, **sizes),
    "harmonic": lambda inter, gin, rate, hop, **sizes: HarmonicDecoder(inter, gin, rate, half_hop=hop // 2, **sizes),
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
