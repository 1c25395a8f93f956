"""What the content encoders share: the grid of frames, and the sizes of those that convolve the wave."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch

from voice.nets.stored import Stored

RATE = 16000  # Hz
HOP = 320  # samples a frame: 50 frames/s


class Content(Stored, ABC):
    """Base of the content encoders; the config has `hidden`."""

    @property
    def dim(self) -> int:
        """Width of one content frame."""
        return self.config.hidden

    @abstractmethod
    def features(self, wav: torch.Tensor, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Content frames of 16 kHz audio in [-1, 1]: [B, N] -> ([B, T, D], frame counts [B]).

        `lengths` [B] are the true sample counts of rows padded on the right; frames past a row's count mean nothing.
        """


class PhoneRecogniser(Content, ABC):
    """A content encoder with a CTC head over the units of `voice.text.units`: it aligns, and measures what is said."""

    @abstractmethod
    def features_and_log_probs(
        self, wav: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`features` and `log_probs` of one pass: [B, T, D], [B, T, units], frame counts [B]."""

    def log_probs(self, wav: torch.Tensor, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Log probabilities over CTC_UNITS: [B, N] -> ([B, floor(N/320), units], frame counts [B])."""
        _, logs, counts = self.features_and_log_probs(wav, lengths)
        return logs, counts


def samples_seen(kernels: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Samples that one frame sees through a row of convolutions."""
    seen = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        seen = (seen - 1) * stride + kernel
    return seen


def transformer_settings(config: Any) -> dict[str, Any]:
    """What transformers' HubertConfig and WavLMConfig both take, from a config of ours; no masking in training."""
    return {
        "hidden_size": config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "intermediate_size": config.ffn,
        "conv_dim": config.conv_dim,
        "conv_kernel": config.conv_kernel,
        "conv_stride": config.conv_stride,
        "num_conv_pos_embeddings": config.position_kernel,
        "num_conv_pos_embedding_groups": config.position_groups,
        "do_stable_layer_norm": config.stable,
        "hidden_dropout": config.dropout,
        "attention_dropout": config.dropout,
        "activation_dropout": 0.0,
        "feat_proj_dropout": 0.0,
        "layerdrop": 0.0,
        "apply_spec_augment": False,
    }
