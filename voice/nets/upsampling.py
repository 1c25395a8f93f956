"""The skeleton of HiFi-GAN and BigVGAN: transposed convolutions with parallel blocks after each."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


class Upsampling(nn.Module):
    """Frames [B, inter, T] and a condition [B, gin, 1] to [B, width, T * prod(rates)].

    Each stage halves `channels`; `width` is what is left of them. With gin 0 there is no condition. `block` makes a
    block from its channels and kernel; with `norm` the transposed convolutions have weight norm.
    """

    def __init__(
        self,
        inter: int,
        gin: int,
        channels: int,
        rates: tuple[int, ...],
        kernels: tuple[int, ...],
        block_kernels: tuple[int, ...],
        block: Callable[[int, int], nn.Module],
        norm: bool = True,
    ) -> None:
        super().__init__()
        self.per_stage = len(block_kernels)
        self.conv_pre = nn.Conv1d(inter, channels, 7, padding=3)
        self.cond = nn.Conv1d(gin, channels, 1) if gin else None
        self.ups = nn.ModuleList()
        self.resblocks = nn.ModuleList()
        for rate, kernel in zip(rates, kernels, strict=True):
            up = nn.ConvTranspose1d(channels, channels // 2, kernel, rate, padding=(kernel - rate) // 2)
            up.weight.data.normal_(0, 0.01)
            self.ups.append(weight_norm(up) if norm else up)
            channels //= 2
            self.resblocks.extend(block(channels, size) for size in block_kernels)
        self.width = channels

    def bend(self, x: torch.Tensor) -> torch.Tensor:
        """What comes before each transposed convolution: here nothing."""
        return x

    def raised(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """All stages; each ends in the mean of its blocks."""
        x = self.conv_pre(x)
        if self.cond is not None:
            x = x + self.cond(condition)
        for number, up in enumerate(self.ups):
            x = up(self.bend(x))
            blocks = self.resblocks[number * self.per_stage : (number + 1) * self.per_stage]
            x = sum(block(x) for block in blocks) / self.per_stage
        return x
