"""Parts of a training step of s2: parameter groups, speaker embeddings of a batch, cuts, guided attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from voice.train.batching import pad_right
from voice.train.guide import IGNORE, guide_loss

# What reads the phones; the layer that brings the condition to its width is no part of it in the published network.
TEXT = ("enc_p.text_embedding.", "enc_p.encoder_text.", "enc_p.mrte.")
NO_TEXT = "enc_p.mrte.condition."


def rate_groups(model: nn.Module, text_rate: float) -> list[dict[str, Any]]:
    """Parameter groups of what is trained in `model`: all else, and the text side with "factor" `text_rate`.

    One group at `text_rate` 1, and where only one of the two is trained.
    """
    rest: list[nn.Parameter] = []
    text: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            slow = text_rate != 1 and name.startswith(TEXT) and not name.startswith(NO_TEXT)
            (text if slow else rest).append(parameter)
    groups: list[dict[str, Any]] = [{"params": rest, "factor": 1.0}, {"params": text, "factor": text_rate}]
    return [group for group in groups if group["params"]]


def speakers(rows: Sequence[torch.Tensor | None]) -> torch.Tensor | None:
    """Speaker embeddings [B, width], None when no utterance has one. Raises ValueError when some have and some not."""
    known = [row for row in rows if row is not None]
    if known and len(known) < len(rows):
        raise ValueError(f"{len(rows) - len(known)} of {len(rows)} utterances lack a speaker embedding")
    return torch.stack(known).float() if known else None


def slices(x: torch.Tensor, starts: torch.Tensor, size: int) -> torch.Tensor:
    """[B, C, T] -> [B, C, size], row b from starts[b]."""
    return torch.stack([row[:, int(start) : int(start) + size] for row, start in zip(x, starts, strict=True)])


def guide(looked: torch.Tensor, rows: Sequence[torch.Tensor | None]) -> torch.Tensor:
    """Guide loss of MRTE's attention [B, T, P] by the spoken phones [n] of each row; 0 where some are not known."""
    known = [row for row in rows if row is not None]
    if len(known) < len(rows):
        return looked.new_zeros(())
    spoken, _ = pad_right([row.repeat_interleave(2) for row in known], IGNORE)
    return guide_loss(looked, spoken.to(looked.device))
