"""Discriminators of the acoustic training: several periods and one scale (specification 3.9), sized by a config."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from voice.nets.stored import Stored

SLOPE = 0.1
Maps = list[torch.Tensor]


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Widths of the period networks and (out, kernel, stride, groups) of the scale network's layers."""

    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    period_widths: tuple[int, ...] = (16, 32, 64, 64, 64)
    scale_layers: tuple[tuple[int, int, int, int], ...] = (
        (16, 15, 1, 1),
        (32, 41, 4, 4),
        (64, 41, 4, 8),
        (64, 41, 4, 8),
        (64, 5, 1, 1),
    )


class ScaleNet(nn.Module):
    """Strided grouped convolutions on the waveform [B, 1, N]."""

    def __init__(self, layers: tuple[tuple[int, int, int, int], ...]) -> None:
        super().__init__()
        self.convs = nn.ModuleList()
        width = 1
        for out, kernel, stride, groups in layers:
            conv = nn.Conv1d(width, out, kernel, stride, groups=groups, padding=kernel // 2)
            self.convs.append(weight_norm(conv))
            width = out
        self.conv_post = weight_norm(nn.Conv1d(width, 1, 3, padding=1))

    def forward(self, x: torch.Tensor) -> Maps:
        maps = []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE)
            maps.append(x)
        return [*maps, self.conv_post(x)]


class PeriodNet(nn.Module):
    """Convolutions over every `period`-th sample: [B, 1, N] seen as [B, 1, N/period, period]."""

    def __init__(self, period: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.period = period
        self.convs = nn.ModuleList()
        width = 1
        for i, out in enumerate(widths):
            stride = 3 if i < len(widths) - 1 else 1
            self.convs.append(weight_norm(nn.Conv2d(width, out, (5, 1), (stride, 1), padding=(2, 0))))
            width = out
        self.conv_post = weight_norm(nn.Conv2d(width, 1, (3, 1), padding=(1, 0)))

    def forward(self, x: torch.Tensor) -> Maps:
        extra = -x.shape[-1] % self.period
        x = F.pad(x, (0, extra), mode="reflect")
        x = x.view(x.shape[0], 1, -1, self.period)
        maps = []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE)
            maps.append(x)
        return [*maps, self.conv_post(x)]


class Discriminator(Stored):
    """All networks; forward gives for each its layer outputs, the last being its judgement."""

    kind, config_class = "discriminator", DiscriminatorConfig
    config: DiscriminatorConfig

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__(config or DiscriminatorConfig())
        periods = [PeriodNet(period, self.config.period_widths) for period in self.config.periods]
        self.discriminators = nn.ModuleList([ScaleNet(self.config.scale_layers), *periods])

    def forward(self, x: torch.Tensor) -> list[Maps]:
        return [net(x) for net in self.discriminators]
