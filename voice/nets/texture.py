"""A judge of latent frames that mean something: is this spectrum of a voice, or the mean of many?

What is drawn to the nearest in mean alone is blurred: formants flatten, pitch stands still. A small discriminator over
pictures of log-mel spectrum, pitch and voicing asks for the texture of speech back, as for spectra of parametric
synthesis (Kaneko et al. 2017), at a tenth of the cost of one that hears waveforms: nothing is decoded for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from voice.nets.discriminator import SLOPE, Maps
from voice.nets.envelope import FrameCode
from voice.nets.stored import Stored

LOUDNESS, RANGE = -4.0, 3.0  # of log-mel spectra, about: what the network sees is near 0 and 1


@dataclass(frozen=True)
class TextureConfig:
    """(out, kernel over bands, kernel over time, stride over bands, stride over time) of each layer; layers `seen`."""

    layers: tuple[tuple[int, ...], ...] = (
        (32, 9, 5, 2, 1),
        (48, 5, 5, 2, 2),
        (64, 5, 5, 2, 2),
        (64, 3, 3, 1, 1),
    )
    seen: int = 3


class Texture(Stored):
    """Picture [B, seen, mels, F] -> outputs of every layer, the last being its judgement [B, 1, bands, steps]."""

    kind, config_class = "texture", TextureConfig
    config: TextureConfig

    def __init__(self, config: TextureConfig | None = None) -> None:
        super().__init__(config or TextureConfig())
        self.convs = nn.ModuleList()
        width = self.config.seen
        for out, bands, time, over_bands, over_time in self.config.layers:
            conv = nn.Conv2d(width, out, (bands, time), (over_bands, over_time), padding=(bands // 2, time // 2))
            self.convs.append(weight_norm(conv))
            width = out
        self.conv_post = weight_norm(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, picture: torch.Tensor) -> list[Maps]:
        maps: Maps = []
        x = picture
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE)
            maps.append(x)
        return [[*maps, self.conv_post(x)]]


def picture(code: FrameCode, latent: torch.Tensor) -> torch.Tensor:
    """Latent [B, inter, T] -> log-mel spectrum, pitch and voicing as three layers [B, 3, mels, 2T], float32."""
    values = code.unfold(latent).float()
    cepstra = values * code.spread[:, None] + code.mean[:, None]
    mel = (code.basis.T @ cepstra[:, : code.cepstra] - LOUDNESS) / RANGE
    return torch.stack([mel, *(values[:, i, None].expand_as(mel) for i in (-2, -1))], dim=1)


def texture_loss(real: Maps, fake: Maps) -> torch.Tensor:
    """Mean distance of the layers' outputs, each in units of the mean size of what the real one gives."""
    parts = [
        (a.float().detach() - b.float()).abs().mean() / a.float().detach().abs().mean().clamp(min=1e-6)
        for a, b in zip(real[:-1], fake[:-1], strict=True)
    ]
    return torch.stack(parts).mean()
