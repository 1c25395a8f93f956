"""ERes2NetV2: what a voice sounds like, as one vector, for the published v2Pro weights (specification 3.6).

The design is that of "ERes2NetV2" (Chen et al. 2024, 3D-Speaker, Apache-2.0). Modules are named as in the published
file, so its state dict loads as it is. Not the published 192 numbers are used but the mean over time of the map
before them: 20480 numbers at the published sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchaudio.compliance import kaldi

from voice.errors import UserError
from voice.nets.stored import Stored

RATE = 16000  # Hz
FRAME = RATE * 25 // 1000  # samples of one frame of `fbank`
CEILING = 20.0  # activations inside blocks are clipped here


@dataclass(frozen=True)
class SpeakerConfig:
    """Sizes. The defaults are the published ones (w24s4ep4)."""

    mels: int = 80
    channels: int = 64
    base_width: int = 24
    scale: int = 4
    expansion: int = 4
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    strides: tuple[int, int, int, int] = (1, 2, 2, 2)
    speaker: int = 192

    @property
    def maps(self) -> int:
        """Channels of the last map."""
        return 8 * self.channels * self.expansion

    @property
    def size(self) -> int:
        """Numbers of one embedding: channels times frequency rows of the last map."""
        rows = self.mels
        for stride in self.strides:
            rows = -(-rows // stride)  # a padded 3x3 convolution rounds up
        return self.maps * rows


def fbank(wav16k: Tensor, mels: int = 80) -> Tensor:
    """Kaldi log filter-bank energies, as the published network was trained on (specification 3.6).

    Args:
        wav16k: [N] or [..., N], 16 kHz, in [-1, 1]; deliberately not scaled to 16-bit amplitudes.
        mels: number of bands from 20 Hz to 8 kHz.

    Returns:
        float32 [frames, mels] or [..., frames, mels], natural log of power; frames of 25 ms every 10 ms that lie
        wholly inside the audio, frames = 1 + (N - 400) // 160. No dither and no mean normalisation.

    Raises:
        UserError: audio shorter than one frame (400 samples).
    """
    samples = wav16k.shape[-1]
    if samples < FRAME:
        raise UserError(
            f"audio of {samples} samples at {RATE} Hz: shorter than one frame of the speaker network ({FRAME} samples)",
            "take a longer clip, best 3 s or more",
        )
    rows = wav16k.float().reshape(-1, samples)
    made = [
        kaldi.fbank(
            row.unsqueeze(0),
            sample_frequency=RATE,
            num_mel_bins=mels,
            frame_length=25.0,
            frame_shift=10.0,
            window_type="povey",
            dither=0.0,
            preemphasis_coefficient=0.97,
            remove_dc_offset=True,
            snip_edges=True,
            low_freq=20.0,
            high_freq=0.0,  # Kaldi's way to say the Nyquist frequency
            use_power=True,
            use_log_fbank=True,
            subtract_mean=False,
        )
        for row in rows
    ]
    return torch.stack(made).reshape(*wav16k.shape[:-1], -1, mels)


def _clip(x: Tensor) -> Tensor:
    """ReLU with a ceiling."""
    return x.clamp(0.0, CEILING)


class Fusion(nn.Module):
    """Attentional feature fusion: x and y, both [B, C, F, T], weighted against each other (weights add to 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 4
        self.local_att = nn.Sequential(
            nn.Conv2d(2 * channels, inner, 1),
            nn.BatchNorm2d(inner),
            nn.SiLU(),
            nn.Conv2d(inner, channels, 1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        weight = 1 + torch.tanh(self.local_att(torch.cat([x, y], dim=1)))
        return x * weight + y * (2 - weight)


class Block(nn.Module):
    """Residual block: 1x1 conv, groups of channels convolved one after the other, 1x1 conv, shortcut.

    [B, inputs, F, T] -> [B, planes * expansion, ceil(F/stride), ceil(T/stride)]. Each group but the first is joined
    with the result of the one before it: added, or by attention with `fused`.
    """

    def __init__(self, config: SpeakerConfig, inputs: int, planes: int, stride: int, fused: bool) -> None:
        super().__init__()
        self.width = planes * config.base_width // 64
        inner, outputs = self.width * config.scale, planes * config.expansion
        groups = range(config.scale)
        self.conv1 = nn.Conv2d(inputs, inner, 1, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.convs = nn.ModuleList(nn.Conv2d(self.width, self.width, 3, padding=1, bias=False) for _ in groups)
        self.bns = nn.ModuleList(nn.BatchNorm2d(self.width) for _ in groups)
        self.fuse_models = nn.ModuleList(Fusion(self.width) for _ in groups[1:] if fused)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            conv = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        parts = _clip(self.bn1(self.conv1(x))).split(self.width, dim=1)
        done: list[Tensor] = []
        for i, (part, conv, bn) in enumerate(zip(parts, self.convs, self.bns, strict=True)):
            if i:
                part = self.fuse_models[i - 1](done[-1], part) if self.fuse_models else done[-1] + part
            done.append(_clip(bn(conv(part))))
        return _clip(self.bn3(self.conv3(torch.cat(done, dim=1))) + self.shortcut(x))


class SpeakerNet(Stored):
    """The network of the published v2Pro speaker vectors; in evaluation mode, as all its users need it."""

    kind, config_class = "speaker", SpeakerConfig
    config: SpeakerConfig

    def __init__(self, config: SpeakerConfig | None = None) -> None:
        c = config or SpeakerConfig()
        super().__init__(c)
        self.conv1 = nn.Conv2d(1, c.channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c.channels)
        self.layer1 = self._stage(c, 0)
        self.layer2 = self._stage(c, 1)
        self.layer3 = self._stage(c, 2)
        self.layer4 = self._stage(c, 3)
        self.layer3_ds = nn.Conv2d(c.maps // 2, c.maps, 3, stride=c.strides[3], padding=1, bias=False)
        self.fuse34 = Fusion(c.maps)
        self.seg_1 = nn.Linear(2 * c.size, c.speaker)  # not used: kept so that the published file stays complete
        self.eval()

    @staticmethod
    def _stage(config: SpeakerConfig, stage: int) -> nn.Sequential:
        """The blocks of one stage: the first changes size, the last two stages fuse by attention."""
        planes = config.channels << stage
        outputs = planes * config.expansion
        inputs = outputs // 2 if stage else config.channels
        blocks = [Block(config, inputs, planes, config.strides[stage], stage >= 2)]
        blocks += [Block(config, outputs, planes, 1, stage >= 2) for _ in range(config.blocks[stage] - 1)]
        return nn.Sequential(*blocks)

    def forward(self, features: Tensor) -> Tensor:
        """`fbank` frames [B, frames, mels], all rows of one length -> embeddings [B, size] (upstream's "forward3")."""
        x = features.transpose(1, 2).unsqueeze(1)
        x = self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x)))))
        third = self.layer3(x)
        fused = self.fuse34(self.layer4(third), self.layer3_ds(third))
        return fused.flatten(1, 2).mean(-1)

    @torch.no_grad()
    def embed(self, wav16k: Tensor) -> Tensor:
        """Audio [N], 16 kHz, in [-1, 1] -> its embedding, float32 [1, size] (20480 at the published sizes).

        Raises UserError for audio shorter than one frame (400 samples). The network must be in evaluation mode.
        """
        return self(fbank(wav16k, self.config.mels).unsqueeze(0))
