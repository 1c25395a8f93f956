"""WavLM content encoder: 16 kHz speech to frames at 50 frames/s (Chen et al. 2022, "WavLM").

- transformers' WavLMModel, sized by `WavlmContentConfig`; the published Base, Base+ and Large fit the same class
- frames come from a chosen hidden layer, and the layers above it are not computed
- what a clip gives does not depend on the longer clips it is batched with
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F
from transformers import WavLMConfig, WavLMModel

from voice.nets.content_frames import HOP, Content, samples_seen, transformer_settings


@dataclass(frozen=True)
class WavlmContentConfig:
    """Sizes of the encoder; the defaults are the published Base and Base+. `conv_stride` must multiply to 320.

    `norm` is "group" (Base: the first convolution's output is normed over each clip) or "layer" (Large: each
    convolution's, frame by frame); `stable` norms before each layer, not after it; `level` brings every clip to zero
    mean and unit variance, as Large wants; `pad` adds 2.5 ms of silence at both ends, so that N samples give exactly
    floor(N / 320) frames (the published code does without); `feature_layer` 0 is what goes into the first layer,
    `layers` what comes out of the last. Raises ValueError when strides or `feature_layer` do not fit.
    """

    hidden: int = 768
    layers: int = 12
    heads: int = 12
    ffn: int = 3072
    conv_dim: tuple[int, ...] = (512,) * 7
    conv_kernel: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_stride: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    position_kernel: int = 128
    position_groups: int = 16
    buckets: int = 320
    max_distance: int = 800
    norm: str = "group"
    stable: bool = False
    level: bool = False
    pad: bool = True
    feature_layer: int = 12
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if math.prod(self.conv_stride) != HOP:
            raise ValueError(f"conv_stride multiplies to {math.prod(self.conv_stride)}, not to {HOP}")
        if not 0 <= self.feature_layer <= self.layers:
            raise ValueError(f"feature_layer {self.feature_layer}: there are layers 0 to {self.layers}")

    def wavlm(self) -> WavLMConfig:
        return WavLMConfig(
            **transformer_settings(self),
            num_buckets=self.buckets,
            max_bucket_distance=self.max_distance,
            feat_extract_norm=self.norm,
        )


LARGE = WavlmContentConfig(
    hidden=1024, layers=24, heads=16, ffn=4096, norm="layer", stable=True, level=True, feature_layer=24
)  # fmt: skip


class WavlmContent(Content):
    """WavLM without a head: `features` alone."""

    kind, config_class = "content-wavlm", WavlmContentConfig
    config: WavlmContentConfig

    def __init__(self, config: WavlmContentConfig | None = None) -> None:
        super().__init__(config or WavlmContentConfig())
        self.wavlm = WavLMModel(self.config.wavlm())
        self._reach = samples_seen(self.config.conv_kernel, self.config.conv_stride)
        self._pad = self._reach - HOP if self.config.pad else 0

    def features(self, wav: torch.Tensor, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Content frames of 16 kHz audio in [-1, 1]: [B, N] -> ([B, T, D], frame counts [B]).

        T is floor(N / 320) with `pad`, else floor((N - 400) / 320) + 1 for the published convolutions. `lengths` [B]
        are the true sample counts of rows padded on the right; frames past a row's count mean nothing. Raises
        ValueError when a row is too short for one frame.
        """
        if lengths is None:
            lengths = torch.full((wav.shape[0],), wav.shape[1], device=wav.device)
        counts = (lengths + self._pad - self._reach) // HOP + 1
        if int(counts.min()) < 1:
            raise ValueError(f"{int(lengths.min())} samples are too few for one frame of {HOP}")
        wav = self._levelled(wav, lengths)
        x = self.wavlm.feature_projection(self._front(wav, lengths, counts).transpose(1, 2))[0]
        mask = None
        if bool((counts < x.shape[1]).any()):
            mask = torch.arange(x.shape[1], device=x.device)[None] < counts[:, None]
            x = x * mask[..., None]  # the convolution over positions must see nothing past the end
        return self._layers(x, mask), counts

    def _levelled(self, wav: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """[B, N] with silence past each row's end and, with `level`, zero mean and unit variance before it."""
        real = torch.arange(wav.shape[1], device=wav.device)[None] < lengths[:, None]
        wav = wav * real
        if self.config.level:
            mean = wav.sum(-1, keepdim=True) / lengths[:, None]
            wav = (wav - mean) * real
            wav = wav * torch.rsqrt(wav.square().sum(-1, keepdim=True) / lengths[:, None] + 1e-7)
        left = self._pad // 2
        return F.pad(wav, (left, self._pad - left))

    def _front(self, wav: torch.Tensor, lengths: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Convolutions over the wave: [B, N] -> [B, C, T]."""
        convolutions = cast(nn.Module, self.wavlm.feature_extractor.conv_layers)
        rows = [wav]
        if self.config.norm == "group" and bool((lengths != lengths[0]).any()):
            # This norm takes its mean over all of a row, pads too, so rows of unequal length go one by one.
            rows = [row[None, : int(size) + self._pad] for row, size in zip(wav, lengths, strict=True)]
        made = []
        for row in rows:
            x = row[:, None]
            for layer in convolutions.children():
                x = layer(x)
            made.append(x)
        width = int(counts.max())
        return torch.cat([F.pad(x, (0, width - x.shape[-1])) for x in made])

    def _layers(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Transformer up to the feature layer: [B, T, D], mask [B, T] True where real -> [B, T, D]."""
        encoder = self.wavlm.encoder
        x = x + encoder.pos_conv_embed(x)
        if not self.config.stable:
            x = encoder.layer_norm(x)
        x = encoder.dropout(x)
        bias = None  # of relative positions: made by the first layer, used by all
        for layer in encoder.layers[: self.config.feature_layer]:
            x, bias = layer(x, attention_mask=mask, position_bias=bias)
        if self.config.stable and self.config.feature_layer == self.config.layers:
            x = encoder.layer_norm(x)
        return x
