"""Content encoder: speech to frames that tell what is said, at 50 frames/s.

- transformers' HubertModel, sized by `ContentConfig`; the published chinese-hubert-base fits the same class
- features come from a chosen hidden layer, so that a head trained on phones does not make them peaky
- a CTC head over `voice.text.units` for alignment
- the first convolution starts as a mel-spaced bank of windowed cosines, in four phases a band
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import HubertConfig, HubertModel

from voice.text.units import CTC_UNITS
from voice.weights import half, load_tensors, save_tensors

RATE = 16000
HOP = 320


@dataclass(frozen=True)
class ContentConfig:
    """Sizes of the encoder. The product of `conv_stride` must be 320 (16 kHz to 50 frames/s)."""

    hidden: int = 192
    layers: int = 5
    heads: int = 3
    ffn: int = 768
    conv_dim: tuple[int, ...] = (256, 192)
    conv_kernel: tuple[int, ...] = (400, 2)
    conv_stride: tuple[int, ...] = (160, 2)
    position_kernel: int = 32
    position_groups: int = 16
    feature_layer: int = 4
    dropout: float = 0.0
    units: int = len(CTC_UNITS)

    def hubert(self) -> HubertConfig:
        return HubertConfig(
            hidden_size=self.hidden,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            intermediate_size=self.ffn,
            conv_dim=self.conv_dim,
            conv_kernel=self.conv_kernel,
            conv_stride=self.conv_stride,
            num_conv_pos_embeddings=self.position_kernel,
            num_conv_pos_embedding_groups=self.position_groups,
            do_stable_layer_norm=True,
            hidden_dropout=self.dropout,
            attention_dropout=self.dropout,
            activation_dropout=0.0,
            feat_proj_dropout=0.0,
            layerdrop=0.0,
            apply_spec_augment=False,
        )


def filter_bank_start(channels: int, width: int) -> torch.Tensor:
    """Starting filters [channels, 1, width]: channels/4 mel-spaced bands, four phases each, Hann window."""
    bands = channels // 4
    mel = torch.linspace(2595 * math.log10(1 + 60 / 700), 2595 * math.log10(1 + 7800 / 700), bands)
    centre = 700 * (10 ** (mel / 2595) - 1)
    time = (torch.arange(width) - width / 2) / RATE
    # Bands widen with frequency, so high ones look through a shorter window.
    length = torch.clamp(4.0 / (24.7 * (4.37 * centre / 1000 + 1)), 0.004, width / RATE)
    window = torch.cos(math.pi * (time[None] / length[:, None]).clamp(-0.5, 0.5)).square()
    phase = torch.arange(4) * math.pi / 2
    wave = torch.cos(2 * math.pi * centre[:, None, None] * time + phase[None, :, None]) * window[:, None]
    wave = wave / wave.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    return wave.reshape(bands * 4, 1, width)


class ContentEncoder(nn.Module):
    """HuBERT encoder with a CTC head."""

    def __init__(self, config: ContentConfig | None = None) -> None:
        super().__init__()
        self.config = config or ContentConfig()
        self.hubert = HubertModel(self.config.hubert())
        self.ctc = nn.Linear(self.config.hidden, self.config.units)
        first = self.hubert.feature_extractor.conv_layers[0].conv
        with torch.no_grad():
            first.weight.copy_(filter_bank_start(first.out_channels, first.kernel_size[0]))
        reach = 1  # samples seen by one frame
        for kernel, stride in zip(
            reversed(self.config.conv_kernel), reversed(self.config.conv_stride), strict=True
        ):
            reach = (reach - 1) * stride + kernel
        self._pad = reach - HOP

    @property
    def dim(self) -> int:
        """Width of one content frame."""
        return self.config.hidden

    def _hidden(
        self, wav: torch.Tensor, lengths: torch.Tensor | None
    ) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        if lengths is None:
            lengths = torch.full((wav.shape[0],), wav.shape[1], device=wav.device)
        frames = lengths // HOP
        # Half of the reach on each side, so that N samples give exactly floor(N / 320) frames.
        left = self._pad // 2
        padded = F.pad(wav, (left, self._pad - left))
        mask = None
        if bool((frames < wav.shape[1] // HOP).any()):
            mask = torch.arange(padded.shape[1], device=wav.device)[None] < (lengths + self._pad)[:, None]
        out = self.hubert(padded, attention_mask=mask, output_hidden_states=True, return_dict=True)
        return (*out.hidden_states[:-1], out.last_hidden_state), frames

    def features(
        self, wav: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Content frames of 16 kHz audio in [-1, 1]: [B, N] -> ([B, floor(N/320), D], frame counts [B])."""
        hidden, frames = self._hidden(wav, lengths)
        return hidden[self.config.feature_layer], frames

    def log_probs(
        self, wav: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Log probabilities over CTC_UNITS: [B, N] -> ([B, floor(N/320), units], frame counts [B])."""
        hidden, frames = self._hidden(wav, lengths)
        return F.log_softmax(self.ctc(hidden[-1]).float(), dim=-1), frames

    def save(self, path: Path, extra: dict[str, Any] | None = None) -> None:
        """Write weights as float16 with the config in the metadata."""
        save_tensors(
            path, half(self.state_dict()), {"kind": "content", "config": asdict(self.config)} | (extra or {})
        )

    @classmethod
    def load(cls, path: Path) -> ContentEncoder:
        """Read a file written by `save`; float32, evaluation mode. Raises UserError on a bad file."""
        tensors, meta = load_tensors(path)
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in meta["config"].items()}
        model = cls(ContentConfig(**fields))
        model.load_state_dict({name: t.float() for name, t in tensors.items()})
        return model.eval()
