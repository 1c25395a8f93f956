"""Wrong tokens among those that a network sees, so that it leans on the text rather than on them.

s1 then is not carried away by its own mistakes. s2 says what is written where tokens leave it open: those that it gets
come from s1, and even true ones are ambiguous (docs/base.md).
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

STUTTERS = 0.3  # of the wrong tokens: the one before
NEAR = 8  # codes that may stand for another


def corrupted(tokens: torch.Tensor, codes: int, most: float, near: torch.Tensor | None = None) -> torch.Tensor:
    """Tokens int64 [B, T] in [0, codes), up to `most` of each row replaced: by any token, or the one before it.

    With `near` [codes, K], codes that are easily taken for each, half of the rest is replaced by one of those.
    """
    share = torch.rand(len(tokens), 1, device=tokens.device) * most
    hit = torch.rand(tokens.shape, device=tokens.device) < share
    other = torch.randint_like(tokens, codes)
    if near is not None:
        picked = near[tokens].gather(-1, torch.randint_like(tokens, near.shape[1]).unsqueeze(-1)).squeeze(-1)
        other = torch.where(torch.rand(tokens.shape, device=tokens.device) < 0.5, picked, other)
    before = F.pad(tokens[:, :-1], (1, 0))
    other = torch.where(torch.rand(tokens.shape, device=tokens.device) < STUTTERS, before, other)
    return torch.where(hit, other, tokens)


def nearest(embed: torch.Tensor, count: int = NEAR) -> torch.Tensor:
    """Codes next to each of a codebook [codes, D]: `count` of them, or all others; int64 [codes, K]."""
    away = torch.cdist(embed.float(), embed.float())
    away.fill_diagonal_(torch.inf)
    return away.topk(min(count, len(embed) - 1), largest=False).indices
