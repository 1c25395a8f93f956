"""Content encoder: speech to frames that tell what is said, at 50 frames/s.

- transformers' HubertModel, sized by `ContentConfig`; the published chinese-hubert-base fits the same class
- features come from a chosen hidden layer, so that a head trained on phones does not make them peaky
- a CTC head over `voice.text.units` for alignment
- the wave convolutions can give way to log-mel frames, the choice of the mini base
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import HubertConfig, HubertModel

from voice.librosa_parts import part
from voice.nets.content_frames import HOP, RATE, PhoneRecogniser, samples_seen, transformer_settings
from voice.text.units import CTC_UNITS

MEL_WINDOW, MEL_HOP = 400, 160
LEVEL = 0.1  # root mean square that every input is brought to


@dataclass(frozen=True)
class ContentConfig:
    """Sizes of the encoder. The product of `conv_stride` must be 320 (16 kHz to 50 frames/s).

    `front` is "mel" or "conv"; `level` brings every input to one root mean square; `centre` takes the mean of each
    mel band away; `pad` adds silence so that N samples give exactly floor(N / 320) frames; `stable` norms before
    each layer, not after it; `units` 0 leaves the CTC head out. The published HuBERT has none of these, and hears
    `tail` seconds of silence after a reference clip.
    """

    front: str = "mel"
    mels: int = 80
    level: bool = True
    centre: bool = True
    pad: bool = True
    tail: float = 0.0
    stable: bool = True
    hidden: int = 192
    layers: int = 5
    heads: int = 3
    ffn: int = 768
    conv_dim: tuple[int, ...] = (192, 192)
    conv_kernel: tuple[int, ...] = (400, 2)
    conv_stride: tuple[int, ...] = (160, 2)
    position_kernel: int = 32
    position_groups: int = 16
    feature_layer: int = 4
    dropout: float = 0.0
    units: int = len(CTC_UNITS)

    def hubert(self) -> HubertConfig:
        return HubertConfig(**transformer_settings(self))


class MelFront(nn.Module):
    """Log-mel frames and two convolutions in place of HuBERT's wave convolutions, on the same frame grid.

    With `centre`, the mean of each band over a clip's frames is taken away, and with it much of the room, the
    microphone and the speaker (cepstral mean normalisation); digital silence counts neither in the mean nor after it.
    """

    bank: torch.Tensor
    window: torch.Tensor

    def __init__(self, mels: int, channels: int, centre: bool) -> None:
        super().__init__()
        self.centre = centre
        bank = part("filters").mel(sr=RATE, n_fft=MEL_WINDOW, n_mels=mels, fmin=20.0, fmax=7800.0)
        self.register_buffer("bank", torch.from_numpy(bank), persistent=False)
        self.register_buffer("window", torch.hann_window(MEL_WINDOW), persistent=False)
        self.conv_1 = nn.Conv1d(mels, channels, 3, padding=1)
        self.conv_2 = nn.Conv1d(channels, channels, 2, stride=2)

    def forward(self, wav: torch.Tensor) -> torch.Tensor:
        """[B, N] -> [B, channels, T]."""
        frames = wav.float().unfold(-1, MEL_WINDOW, MEL_HOP) * self.window
        power = torch.fft.rfft(frames).abs().square() @ self.bank.T
        mel = (torch.log(power + 1e-5) + 8.0) / 3.3  # about zero mean and unit spread at LEVEL
        if self.centre:
            sound = (power.sum(-1, keepdim=True) > 1e-4).to(mel.dtype)
            mel = (mel - (mel * sound).sum(1, keepdim=True) / sound.sum(1, keepdim=True).clamp(min=1)) * sound
        return F.gelu(self.conv_2(F.gelu(self.conv_1(mel.transpose(1, 2)))))


class ContentEncoder(PhoneRecogniser):
    """HuBERT encoder with a CTC head."""

    kind, config_class = "content", ContentConfig
    config: ContentConfig

    def __init__(self, config: ContentConfig | None = None) -> None:
        super().__init__(config or ContentConfig())
        self.hubert = HubertModel(self.config.hubert())
        self.ctc = nn.Linear(self.config.hidden, self.config.units) if self.config.units else None
        if self.config.front == "mel":
            front: Any = MelFront(self.config.mels, self.config.conv_dim[-1], self.config.centre)
            self.hubert.feature_extractor = front
        self._reach = samples_seen(self.config.conv_kernel, self.config.conv_stride)
        self._pad = self._reach - HOP if self.config.pad else 0

    def _hidden(self, wav: torch.Tensor, lengths: torch.Tensor | None) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        if lengths is None:
            lengths = torch.full((wav.shape[0],), wav.shape[1], device=wav.device)
        frames = (lengths + self._pad - self._reach) // HOP + 1
        if self.config.level:
            power = wav.float().square().sum(-1, keepdim=True) / lengths[:, None]
            wav = wav * (LEVEL / power.sqrt().clamp(min=1e-5))
        left = self._pad // 2
        padded = F.pad(wav, (left, self._pad - left))
        mask = None
        if bool((lengths < wav.shape[1]).any()):
            mask = torch.arange(padded.shape[1], device=wav.device)[None] < (lengths + self._pad)[:, None]
        out = self.hubert(padded, attention_mask=mask, output_hidden_states=True, return_dict=True)
        return (*out.hidden_states[:-1], out.last_hidden_state), frames

    def features(self, wav: torch.Tensor, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Content frames of 16 kHz audio in [-1, 1]: [B, N] -> ([B, T, D], frame counts [B]).

        T is floor(N / 320) with `pad`, and one less without when the last window is cut short.
        """
        hidden, frames = self._hidden(wav, lengths)
        return hidden[self.config.feature_layer], frames

    def features_and_log_probs(
        self, wav: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`features` and `log_probs` of one pass: [B, T, D], [B, T, units], frame counts [B]."""
        hidden, frames = self._hidden(wav, lengths)
        return hidden[self.config.feature_layer], self._ctc(hidden[-1]), frames

    def _ctc(self, hidden: torch.Tensor) -> torch.Tensor:
        if self.ctc is None:
            raise ValueError("this content encoder has no CTC head")
        return F.log_softmax(self.ctc(hidden).float(), dim=-1)
