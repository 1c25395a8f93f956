"""Weights between those before a fine-tuning and those after it.

A little data teaches a voice and unteaches words that it lacks. On the straight line from the one to the other lies
what keeps most of both (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"); how far to go differs by part.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from voice.errors import UserError


def blend(
    before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor], shares: Mapping[str, float]
) -> dict[str, torch.Tensor]:
    """`after` with each tensor of real numbers at `share` of the way from `before`; dtypes are those of `after`.

    `shares` goes by the start of names, of which the longest counts; 1 for what none fits. Raises UserError for a start
    that fits none, ValueError where `before` lacks a tensor.
    """
    for start in shares:
        if not any(name.startswith(start) for name in after):
            raise UserError(f"blend: no parameter starts with {start!r}", "see `trainable` for names of parts")
    mixed = {}
    for name, tuned in after.items():
        fitting = [start for start in shares if name.startswith(start)]
        share = shares[max(fitting, key=len)] if fitting else 1.0
        if share == 1.0 or not tuned.is_floating_point():
            mixed[name] = tuned
        elif name not in before:
            raise ValueError(f"{name}: not in the weights before")
        else:
            mixed[name] = before[name].to(tuned) + share * (tuned - before[name].to(tuned))
    return mixed
