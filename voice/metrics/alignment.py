"""How sure a recogniser is that the intended phones are in the sound, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch

from voice.alignment.forced import place_units


def intended_score(log_probs: torch.Tensor, units: Sequence[int]) -> float:
    """Mean CTC posterior of `units` on their forced alignment to log-probabilities [T, U], in [0, 1].

    Unlike the phone error it also sees how close a misheard phone was. 0 when the sound is too short to hold the
    units at all (one frame each, one more between two equal ones). Raises UserError when `units` is empty.
    """
    needed = len(units) + sum(a == b for a, b in pairwise(units))
    if units and needed > log_probs.shape[0]:
        return 0.0
    spans = place_units(log_probs, units)
    return sum(span.score for span in spans) / len(spans)
