"""CTC forced alignment of units to frames, and the frames of each unit.

Method: Viterbi over the CTC lattice (Graves et al. 2006), as torchaudio's `forced_align` does it; blank is unit 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import torch
from torchaudio.functional import forced_align

from voice.errors import UserError

_LARGEST = 4_000_000_000  # cells of the lattice, one byte each


@dataclass(frozen=True)
class Placed:
    """Frames [start, end) of one unit or word, and its score: mean probability of its units, in [0, 1]."""

    start: int
    end: int
    score: float


def forced_path(log_probs: torch.Tensor, units: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The best CTC path of `units` through `log_probs` [T, U]: unit of each frame int64 [T], its log-probability [T].

    Raises UserError when the units cannot fit into T frames, or the lattice would not fit into memory.
    """
    frames = log_probs.shape[0]
    needed = len(units) + sum(a == b for a, b in pairwise(units))
    if not units:
        raise UserError("the transcript holds no readable word", "check its language and the voice's `lang`")
    if needed > frames:
        raise UserError(
            f"the transcript needs {needed} frames, the speech has {frames}",
            "the transcript is of a longer recording; cut it to what is spoken",
        )
    if frames * (2 * len(units) + 1) > _LARGEST:
        raise UserError(f"{frames / 50:.0f} s of speech with {len(units)} sounds is too much to align at once")
    targets = torch.tensor([list(units)], dtype=torch.int32)
    path, scores = forced_align(log_probs.float().cpu().contiguous()[None], targets, blank=0)
    return path[0].long(), scores[0]


def place_units(log_probs: torch.Tensor, units: Sequence[int]) -> list[Placed]:
    """Frames of each unit of `units` under the best CTC path through `log_probs` [T, U]. Raises UserError."""
    path, scores = forced_path(log_probs, units)
    placed: list[Placed] = []
    at = 0
    # Runs of one label are one unit: the path puts a blank between two equal units.
    for label, run in groupby(path.tolist()):
        size = sum(1 for _ in run)
        if label != 0:
            placed.append(Placed(at, at + size, float(scores[at : at + size].exp().mean())))
        at += size
    return placed
