"""Decoders from latent frames to waveform, chosen by name in the acoustic config.

- `hifigan`: transposed convolutions and multi-receptive-field blocks (Kong et al. 2020), as in the published weights
- `istft`: ConvNeXt blocks at twice the frame rate and an inverse STFT (Siuzdak 2023): far cheaper on a CPU
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from voice.nets.layers import ConvNeXt

SLOPE = 0.1


class ResidualBlock(nn.Module):
    """Three pairs of dilated and plain convolutions, each with a residual (HiFi-GAN type 1)."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()

        def conv(dilation: int) -> nn.Module:
            pad = (kernel - 1) * dilation // 2
            return weight_norm(nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=pad))

        self.convs1 = nn.ModuleList(conv(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for first, second in zip(self.convs1, self.convs2, strict=True):
            x = x + second(F.leaky_relu(first(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


class HifiGan(nn.Module):
    """latent [B, inter, T] and condition [B, gin, 1] -> audio [B, 1, T * prod(rates)] (specification 3.7)."""

    def __init__(
        self,
        inter: int,
        gin: int,
        channels: int,
        rates: tuple[int, ...],
        kernels: tuple[int, ...],
        block_kernels: tuple[int, ...] = (3, 7, 11),
        block_dilations: tuple[int, ...] = (1, 3, 5),
    ) -> None:
        super().__init__()
        self.conv_pre = nn.Conv1d(inter, channels, 7, padding=3)
        self.cond = nn.Conv1d(gin, channels, 1)
        self.ups = nn.ModuleList()
        self.resblocks = nn.ModuleList()
        self.per_stage = len(block_kernels)
        for i, (rate, kernel) in enumerate(zip(rates, kernels, strict=True)):
            wide, narrow = channels // 2**i, channels // 2 ** (i + 1)
            up = nn.ConvTranspose1d(wide, narrow, kernel, rate, padding=(kernel - rate) // 2)
            up.weight.data.normal_(0, 0.01)
            self.ups.append(weight_norm(up))
            self.resblocks.extend(ResidualBlock(narrow, k, block_dilations) for k in block_kernels)
        self.conv_post = nn.Conv1d(channels // 2 ** len(rates), 1, 7, padding=3, bias=False)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        x = self.conv_pre(x) + self.cond(condition)
        for i, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, SLOPE))
            blocks = self.resblocks[i * self.per_stage : (i + 1) * self.per_stage]
            x = sum(block(x) for block in blocks) / self.per_stage
        return torch.tanh(self.conv_post(F.leaky_relu(x)))  # the last slope is 0.01, unlike the others


class IstftDecoder(nn.Module):
    """latent [B, inter, T] and condition [B, gin, 1] -> audio [B, 1, T * hop], hop = 2 * `half_hop`."""

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

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        x = self.conv_pre(x) + self.cond(condition)
        x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        for block in self.coarse:
            x = block(x)
        x = self.up(x)
        for block in self.fine:
            x = block(x)
        x = self.head(self.norm_post(x.transpose(1, 2))).transpose(1, 2).float()
        size, phase = x.chunk(2, dim=1)
        spec = torch.polar(size.clamp(max=6.0).exp(), phase)
        return self._inverse(spec).unsqueeze(1)

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


def make_decoder(name: str, inter: int, gin: int, hop: int, options: dict[str, object]) -> nn.Module:
    """Decoder by name. `options` are the class's own sizes; their product must match `hop`. Raises ValueError."""
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    if name == "hifigan":
        return HifiGan(inter, gin, **settings)  # type: ignore[arg-type]
    if name == "istft":
        return IstftDecoder(inter, gin, half_hop=hop // 2, **settings)  # type: ignore[arg-type]
    raise ValueError(f"unknown decoder {name!r}: choose hifigan or istft")
