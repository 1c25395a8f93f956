"""Judges of sound: log spectra of a waveform at several resolutions, each seen by a small discriminator.

Mean distance of spectra asks a decoder for the middle of all that could be; judges of several resolutions ask for
something that could be (multi-resolution discriminators, Jang et al. 2021). They see no phase: that of pulses laid
by rule is never the recording's, and a judge that saw it would have nothing to teach.
"""

from __future__ import annotations

import torch
from torch import nn

from voice.mel import linear_spectrogram
from voice.nets.discriminator import Maps
from voice.nets.texture import Texture, TextureConfig

LOUDNESS, RANGE = -2.0, 3.0  # of log magnitudes of speech, about: what the networks see is near 0 and 1
SIZES = ((512, 120), (1024, 240))  # n_fft, hop in samples
LAYERS = ((24, 9, 5, 2, 1), (32, 5, 5, 2, 2), (48, 5, 5, 2, 2), (48, 3, 3, 1, 1))


class Spectra(nn.Module):
    """Audio [B, N] -> for each resolution the outputs of every layer, the last being its judgement."""

    def __init__(
        self, sizes: tuple[tuple[int, int], ...] = SIZES, layers: tuple[tuple[int, ...], ...] = LAYERS
    ) -> None:
        super().__init__()
        self.sizes = sizes
        self.judges = nn.ModuleList(Texture(TextureConfig(layers, seen=1)) for _ in sizes)

    def forward(self, wav: torch.Tensor) -> list[Maps]:
        found = []
        for judge, (n_fft, hop) in zip(self.judges, self.sizes, strict=True):
            spectrum = linear_spectrogram(wav.float(), n_fft, hop, n_fft)
            found += judge((spectrum.log()[:, None] - LOUDNESS) / RANGE)
        return found
