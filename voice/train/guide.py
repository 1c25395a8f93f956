"""Guided attention: one head is asked to look at the phone being spoken, known from forced alignment.

A small network then finds the text from hours of speech instead of thousands of hours (the idea of Tachibana et al.
2017, with measured alignments in place of a diagonal). Used for s1's decoder and for MRTE in s2.
"""

from __future__ import annotations

import torch

IGNORE = -100


def guide_loss(attention: torch.Tensor, spoken: torch.Tensor) -> torch.Tensor:
    """-log of the attention mass on the spoken phone and its two neighbours.

    attention [B, T+1, P]; spoken [B, T+1] phone index or IGNORE. Mean over real positions.
    """
    known = spoken != IGNORE
    centre = spoken.clamp(min=0)
    mass = torch.zeros_like(attention[..., 0])
    for shift in (-1, 0, 1):
        index = centre + shift
        inside = (index >= 0) & (index < attention.shape[-1])
        picked = attention.gather(-1, index.clamp(0, attention.shape[-1] - 1).unsqueeze(-1)).squeeze(-1)
        mass = mass + picked * inside
    return (-torch.log(mass + 1e-6) * known).sum() / known.sum().clamp(min=1)
