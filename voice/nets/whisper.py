"""Whisper's encoder as content encoder: 16 kHz speech to frames at 50 frames/s (Radford et al. 2023, section 2.2).

- one encoder (`voice.nets.whisper_encoder`), sized by `WhisperContentConfig`; every published size fits
- log-mel frames as Whisper defines them, computed in torch
- clips of any length: short ones take the first part of the table of positions, long ones go through in windows
- what a clip gives does not depend on the longer clips it is batched with
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from voice.librosa_parts import part
from voice.nets.content_frames import HOP, RATE, Content
from voice.nets.whisper_encoder import WhisperEncoder

N_FFT, MEL_HOP = 400, 160
FLOOR = 1e-10  # of the mel power, -10 after the logarithm
OVERLAP = 5  # windows share at least one part in so many


@dataclass(frozen=True)
class WhisperContentConfig:
    """Sizes of the encoder; the defaults are the published "base". `positions` frames are one window: 1500 are 30 s.

    `fill` pads every window with digital silence to all `positions`, as the published models were trained; without,
    a clip costs only what it lasts. `feature_layer` 0 is what goes into the first layer, `layers` what comes out of
    the last, normed, unless `normed` is False, which leaves the norm out of the network. Raises ValueError on a
    `feature_layer` that is not there and on fewer than two positions.
    """

    mels: int = 80
    hidden: int = 512
    layers: int = 6
    heads: int = 8
    ffn: int = 2048
    positions: int = 1500
    fill: bool = False
    feature_layer: int = 6
    dropout: float = 0.0
    normed: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.feature_layer <= self.layers:
            raise ValueError(f"feature_layer {self.feature_layer}: there are layers 0 to {self.layers}")
        if self.positions < 2:
            raise ValueError(f"positions {self.positions}: a window has at least 2 frames")


def _size(hidden: int, layers: int, mels: int = 80) -> WhisperContentConfig:
    return WhisperContentConfig(
        mels=mels, hidden=hidden, layers=layers, heads=hidden // 64, ffn=4 * hidden, feature_layer=layers
    )


SIZES = {
    "tiny": _size(384, 4),
    "base": _size(512, 6),
    "small": _size(768, 12),
    "medium": _size(1024, 24),
    "large-v2": _size(1280, 32),
    "large-v3": _size(1280, 32, 128),
}


class LogMel(nn.Module):
    """Whisper's input: log10 of 80 or 128 mel bands, at most 8 below the clip's loudest, shifted and scaled."""

    bank: torch.Tensor
    window: torch.Tensor

    def __init__(self, mels: int) -> None:
        super().__init__()
        bank = part("filters").mel(sr=RATE, n_fft=N_FFT, n_mels=mels)
        self.register_buffer("bank", torch.from_numpy(bank), persistent=False)
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)

    def forward(self, wav: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, N], silent past each row's end, and mel frame counts [B] -> [B, mels, M], and what silence gives [B].

        Frame m is centred on sample 160 m; before the start the wave is mirrored, past the end it is silent, as in a
        clip that Whisper fills up to 30 s. Pads hold what silence gives.
        """
        with torch.autocast(wav.device.type, enabled=False):  # the logarithm would show half precision
            return self._bands(wav.float(), frames)

    def _bands(self, wav: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        size = int(frames.max())
        wav = F.pad(wav[:, None], (N_FFT // 2, 0), mode="reflect")[:, 0]
        wav = F.pad(wav, (0, max(0, (size - 1) * MEL_HOP + N_FFT - wav.shape[1])))
        pieces = wav.unfold(-1, N_FFT, MEL_HOP)[:, :size] * self.window
        power = torch.fft.rfft(pieces).abs().square() @ self.bank.T
        mel = power.clamp(min=FLOOR).log10()
        pads = (torch.arange(size, device=wav.device)[None] >= frames[:, None])[..., None]
        mel = mel.masked_fill(pads, torch.finfo(mel.dtype).min)
        quiet = (mel.amax((1, 2)) - 8.0).clamp(min=-10.0)
        mel = torch.maximum(mel, quiet[:, None, None])
        return (mel.transpose(1, 2) + 4.0) / 4.0, (quiet + 4.0) / 4.0


class WhisperContent(Content):
    """Whisper's encoder without its decoder: `features` alone."""

    kind, config_class = "content-whisper", WhisperContentConfig
    config: WhisperContentConfig

    def __init__(self, config: WhisperContentConfig | None = None) -> None:
        super().__init__(config or WhisperContentConfig())
        self.mel = LogMel(self.config.mels)
        c = self.config
        self.encoder = WhisperEncoder(c.mels, c.hidden, c.layers, c.heads, c.ffn, c.positions, c.dropout)
        if not c.normed:
            self.encoder.layer_norm = nn.Identity()

    def features(self, wav: torch.Tensor, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Content frames of 16 kHz audio in [-1, 1]: [B, N] -> ([B, T, D], frame counts [B]); T is floor(N / 320).

        `lengths` [B] are the true sample counts of rows padded on the right; frames past a row's count mean nothing.
        A row longer than `positions` frames is read in overlapping windows, each frame taken from the window that
        holds it furthest from an edge. Raises ValueError when a row is too short for one frame.
        """
        if lengths is None:
            lengths = torch.full((wav.shape[0],), wav.shape[1], device=wav.device)
        counts = lengths // HOP
        if int(counts.min()) < 1:
            raise ValueError(f"{int(lengths.min())} samples are too few for one frame of {HOP}")
        wav = wav * (torch.arange(wav.shape[1], device=wav.device)[None] < lengths[:, None])
        sizes = 2 * counts
        if self.config.fill:  # all mel frames that hold a sample, as the published models see them
            sizes = (lengths + N_FFT // 2 - 1) // MEL_HOP + 1
            sizes = torch.where(counts <= self.config.positions, sizes.clamp(max=2 * self.config.positions), sizes)
        mel, quiet = self.mel(wav, sizes)
        width = int(counts.max())
        if width <= self.config.positions:
            return self._window(mel, sizes, quiet)[:, :width], counts
        rows = [self._clip(mel[n, :, : int(sizes[n])][None], int(counts[n]), quiet[n : n + 1]) for n in range(len(mel))]
        return torch.cat([F.pad(row, (0, 0, 0, width - row.shape[1])) for row in rows]), counts

    def _clip(self, mel: torch.Tensor, count: int, quiet: torch.Tensor) -> torch.Tensor:
        """One clip of any length: mel [1, mels, >= 2 count] -> [1, count, D]."""
        size = self.config.positions
        if count <= size:
            return self._window(mel, torch.tensor([mel.shape[-1]], device=mel.device), quiet)[:, :count]
        whole = torch.tensor([2 * size], device=mel.device)
        starts = window_starts(count, size)
        # The seam of two windows lies in the middle of what they share.
        seams = [(after + before + size) // 2 for before, after in pairwise(starts)]
        out = []
        for start, first, last in zip(starts, [0, *seams], [*seams, count], strict=True):
            x = self._window(mel[..., 2 * start : 2 * (start + size)], whole, quiet)
            out.append(x[:, first - start : last - start])
        return torch.cat(out, dim=1)

    def _window(self, mel: torch.Tensor, sizes: torch.Tensor, quiet: torch.Tensor) -> torch.Tensor:
        """mel [B, mels, M] of which `sizes` [B] are real, what silence gives [B] -> [B, T, D]; T is M / 2 or more."""
        encoder, mask = self.encoder, None
        place = torch.arange(mel.shape[-1], device=mel.device)[None]
        if self.config.fill:
            mel = torch.where((place < sizes[:, None])[:, None], mel, quiet[:, None, None])
            rest = quiet[:, None, None].expand(-1, mel.shape[1], 2 * self.config.positions - mel.shape[-1])
            mel = torch.cat([mel, rest], dim=-1)
        elif bool((sizes < mel.shape[-1]).any()):
            real = place < sizes[:, None]
            mel = mel * real[:, None]  # past its end a clip sees what the convolution's own padding gives
            mask = real[:, None, None, ::2]
        x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).transpose(1, 2)
        x = x + encoder.embed_positions.weight[: x.shape[1]]
        x = F.dropout(x, self.config.dropout, self.training)
        for layer in encoder.layers[: self.config.feature_layer]:
            x = layer(x, mask)
        return encoder.layer_norm(x) if self.config.feature_layer == self.config.layers else x


def window_starts(count: int, size: int) -> list[int]:
    """First frames of evenly spaced windows of `size` that cover `count` frames and overlap by a fifth or more."""
    if count <= size:
        return [0]
    number = 1 + -(-(count - size) // max(1, size - size // OVERLAP))
    return [round(n * (count - size) / (number - 1)) for n in range(number)]
