"""Content encoder of the mini base: the first layers of Whisper-base's encoder and a head that tells phones.

- four layers (Radford et al. 2023), kept in 4 bits a weight; what is said is read from their frames by two convolutions
- content frames are the square roots of the units' posteriors: their distance is Hellinger's, and what is not speech
  leaves no trace in them
- a second output of the head is trained by CTC: alignment and measures read that
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from voice.bits import Scheme
from voice.nets.content_frames import HOP, PhoneRecogniser
from voice.nets.whisper import WhisperContent, WhisperContentConfig
from voice.text.units import CTC_UNITS

HALF = HOP // 2  # frames here are centred this much later than Whisper's of the same number


@dataclass(frozen=True)
class WhisperUnitsConfig:
    """Sizes; the defaults are the mini base. `directions` are kept of a frame, `level` is the RMS that it hears."""

    hidden: int = 512
    layers: int = 4
    heads: int = 8
    ffn: int = 2048
    positions: int = 1500
    directions: int = 128
    width: int = 256
    reach: int = 5
    units: int = len(CTC_UNITS)
    level: float = 0.1
    dropout: float = 0.1

    def whisper(self) -> WhisperContentConfig:
        return WhisperContentConfig(
            hidden=self.hidden, layers=self.layers, heads=self.heads, ffn=self.ffn, positions=self.positions,
            feature_layer=self.layers, normed=False,
        )  # fmt: skip


class UnitHead(nn.Module):
    """Frames [B, T, directions] -> scores of units by frame and for CTC, both [B, T, units]."""

    def __init__(self, config: WhisperUnitsConfig | None = None) -> None:
        super().__init__()
        c = config or WhisperUnitsConfig()
        self.body = nn.Sequential(
            nn.Conv1d(c.directions, c.width, c.reach, padding=c.reach // 2),
            nn.GELU(),
            nn.Dropout(c.dropout),
            nn.Conv1d(c.width, c.width, c.reach, padding=c.reach // 2),
            nn.GELU(),
            nn.Dropout(c.dropout),
        )
        self.frame = nn.Linear(c.width, c.units)
        self.ctc = nn.Linear(c.width, c.units)

    def forward(self, frames: torch.Tensor, mask: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """`mask` [B, T] is 1 on real frames: without the rest a clip reads the same in any batch."""
        hidden = frames.transpose(1, 2)
        for layer in self.body:
            if mask is not None and isinstance(layer, nn.Conv1d):
                hidden = hidden * mask[:, None]
            hidden = layer(hidden)
        hidden = hidden.transpose(1, 2)
        return self.frame(hidden), self.ctc(hidden)


class WhisperUnits(PhoneRecogniser):
    """Phone posteriors of Whisper's first layers as content frames, with a CTC output."""

    kind, config_class = "content-whisper-units", WhisperUnitsConfig
    few_bits = {"whisper.encoder.": Scheme(4, 32), "head.": Scheme(8)}
    by_rule = ("whisper.encoder.embed_positions",)
    config: WhisperUnitsConfig

    def __init__(self, config: WhisperUnitsConfig | None = None) -> None:
        super().__init__(config or WhisperUnitsConfig())
        self.whisper = WhisperContent(self.config.whisper())
        self.project = nn.Linear(self.config.hidden, self.config.directions)
        self.head = UnitHead(self.config)

    @property
    def dim(self) -> int:
        return self.config.units

    def frames(self, wav: torch.Tensor, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """What the head reads: 16 kHz audio [B, N] -> ([B, floor(N / 320), directions], frame counts [B]).

        Raises ValueError when a row is too short for one frame.
        """
        if lengths is None:
            lengths = torch.full((wav.shape[0],), wav.shape[1], device=wav.device)
        if int(lengths.min()) < HOP:
            raise ValueError(f"{int(lengths.min())} samples are too few for one frame of {HOP}")
        real = torch.arange(wav.shape[1], device=wav.device)[None] < lengths[:, None]
        wav = wav.float() * real
        power = wav.square().sum(-1, keepdim=True) / lengths[:, None]
        wav = wav * (self.config.level / power.sqrt().clamp(min=1e-4))
        counts = lengths // HOP
        padded = F.pad(wav, (HALF, HALF + HOP))  # silence on either side, as if a longer recording went on
        found, _ = self.whisper.features(padded, (counts + 2) * HOP)
        return self.project(found[:, 1 : 1 + int(counts.max())]), counts

    def scores(
        self, wav: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Scores of units by frame and for CTC [B, T, units] each, frame counts [B]."""
        frames, counts = self.frames(wav, lengths)
        mask = torch.arange(frames.shape[1], device=frames.device)[None] < counts[:, None]
        frame, ctc = self.head(frames, mask.to(frames.dtype))
        return frame.float(), ctc.float(), counts

    def features(self, wav: torch.Tensor, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Square roots of the units' posteriors: [B, N] -> ([B, floor(N / 320), units], frame counts [B])."""
        frame, _, counts = self.scores(wav, lengths)
        return frame.softmax(-1).sqrt(), counts

    def features_and_log_probs(
        self, wav: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`features` and `log_probs` of one pass: [B, T, units] each, frame counts [B]."""
        frame, ctc, counts = self.scores(wav, lengths)
        return frame.softmax(-1).sqrt(), ctc.log_softmax(-1), counts
