"""Phone error: how far the sounds that a recogniser hears are from those that were meant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch.nn import functional as F
from torchaudio.functional import edit_distance


def heard_units(log_probs: torch.Tensor) -> list[int]:
    """Greedy CTC decoding of frame log-probabilities [T, U]: likeliest unit a frame, repeats merged, blank 0 out.

    Source: Graves et al. 2006, best path decoding.
    """
    return [unit for unit, _ in groupby(log_probs.argmax(dim=-1).tolist()) if unit != 0]


def nats_of(logs: torch.Tensor, units: Sequence[int]) -> float:
    """-log likelihood of `units` in log probabilities [T, classes], class 0 blank; infinite when they cannot fit in."""
    sizes = torch.tensor([len(logs)]), torch.tensor([len(units)])
    return float(F.ctc_loss(logs[:, None].float(), torch.tensor([list(units)]), *sizes, reduction="none"))


def phone_edits(heard: Sequence[int], meant: Sequence[int]) -> int:
    """Fewest insertions, deletions and substitutions that turn `meant` into `heard` (Levenshtein)."""
    return int(edit_distance(list(meant), list(heard)))


def phone_error_rate(edits: int, meant: int) -> float:
    """Edits per meant unit: 0 is perfect, above 1 when more is heard than was meant. ValueError if none was meant."""
    if meant <= 0:
        raise ValueError("the error rate of a text without sounds is not defined")
    return edits / meant
