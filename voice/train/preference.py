"""Preference in the training of s1: the tokens of the line over a spoilt copy of them (specification 2.5).

The spoilt copy says a stretch twice or leaves it out, which are the mistakes that decoding makes. The objective is
direct preference optimisation (Rafailov et al. 2023) without a reference model.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from voice.train.guide import IGNORE

BETA = 0.2  # of the published recipe


def rejected(tokens: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Tokens [T] int64 with a random stretch said twice or left out, each half of the time; [1 .. 2T - 1].

    The stretch [i, j) has two different places of [0, T) as its ends, so the copy always differs in length; a line of
    one token, which has no such stretch, is returned as it is. `generator` (CPU) is torch's own where None.
    """
    size = len(tokens)
    if size < 2:
        return tokens
    ends = torch.randperm(size, generator=generator)[:2].sort().values
    start, end = int(ends[0]), int(ends[1])
    if int(torch.randint(2, (), generator=generator)):
        return torch.cat([tokens[:end], tokens[start:]])
    return torch.cat([tokens[:start], tokens[end:]])


def sequence_log_probs(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Log-probability of each sequence, float32 [B]: logits [B, T, V], targets [B, T] int64 with pads as IGNORE.

    The published sums run over the pads too, which rewards a long copy in a batch of short ones; here they count
    nothing.
    """
    losses = F.cross_entropy(logits.float().transpose(1, 2), targets, ignore_index=IGNORE, reduction="none")
    return -losses.sum(1)


def preference_loss(chosen: torch.Tensor, spoilt: torch.Tensor, beta: float = BETA) -> torch.Tensor:
    """Mean of -log sigmoid(beta * (chosen - spoilt)) of log-probabilities [B] each."""
    return -F.logsigmoid(beta * (chosen - spoilt)).mean()
