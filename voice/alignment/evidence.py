"""How well the sound of a segment bears out its text, from the log-probabilities of its frames.

The forced path of the text is held against the best label of each frame: a text that was said comes near it, another
one does not. Frames in which neither hears anything are left out, so that pauses prove nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from voice.alignment.forced import Placed, forced_path
from voice.errors import UserError

FRAME = 0.02  # seconds
_DISORDERS = 8
_WINDOW = 0.8  # seconds of sound over which the weakest part is looked for


@dataclass(frozen=True)
class Evidence:
    """Of one segment: `score` in (0, 1], the mean likelihood ratio (geometric) of text to best label a sounding frame;
    `contrast`, by how many nats a sounding frame the text is better than its own sounds in another order;
    `weakest`, the score of its worst stretch of 0.8 s; `words`, frames and score of each word;
    `unexplained`, the longest time in seconds in which something is heard and the text says nothing."""

    score: float
    contrast: float
    weakest: float
    words: tuple[Placed, ...]
    unexplained: float


def quieten(log_probs: torch.Tensor, nats: float) -> torch.Tensor:
    """`log_probs` [T, U] with silence (unit 0) made less likely by `nats`, normalised again."""
    lower = log_probs.float().clone()
    lower[:, 0] -= nats
    return lower.log_softmax(-1)


def weigh(log_probs: torch.Tensor, words: Sequence[Sequence[int]]) -> Evidence:
    """Evidence in `log_probs` [T, U] (quietened) for `words`, each the units of its sound, none empty.

    Raises UserError when they cannot fit into T frames.
    """
    units = [unit for word in words for unit in word]
    path, ratio, sounding = _sounding(log_probs, units)
    said, heard = (path != 0).numpy(), (log_probs.argmax(dim=1) != 0).numpy()
    size = min(len(sounding), round(_WINDOW / FRAME))
    means = np.convolve(sounding, np.ones(size) / size, mode="valid")
    return Evidence(
        score=float(np.exp(sounding.mean())),
        contrast=float(sounding.mean() - np.mean([_in_disorder(log_probs, units, seed) for seed in range(_DISORDERS)])),
        weakest=float(np.exp(means.min())),
        words=tuple(_words(path.numpy(), ratio, words)),
        unexplained=_longest(heard & ~said) * FRAME,
    )


def _sounding(
    log_probs: torch.Tensor, units: Sequence[int]
) -> tuple[torch.Tensor, NDArray[np.float64], NDArray[np.float64]]:
    """The forced path, its likelihood ratio to the best label in each frame, and that of the frames that sound."""
    path, scores = forced_path(log_probs, units)
    ratio = (scores - log_probs.max(dim=1).values).double().numpy()
    return path, ratio, ratio[((path != 0) | (log_probs.argmax(dim=1) != 0)).numpy()]


def _in_disorder(log_probs: torch.Tensor, units: Sequence[int], seed: int) -> float:
    """The mean ratio of the same units in another order, the first time backwards."""
    order = list(reversed(units))
    if seed:
        random.Random(seed).shuffle(order)
    try:
        return float(_sounding(log_probs, order)[2].mean())
    except UserError:  # equal neighbours need a frame more
        return float(_sounding(log_probs, sorted(set(units)))[2].mean())


def _words(path: NDArray[np.int64], ratio: NDArray[np.float64], words: Sequence[Sequence[int]]) -> list[Placed]:
    """Frames of each word, from the first of its first unit to the last of its last, and its score."""
    edges = np.flatnonzero(np.diff(path, prepend=0) != 0)
    starts = edges[path[edges] != 0]  # where each unit begins: a blank or another label stands before it
    ends = [int(next((e for e in edges[np.searchsorted(edges, s, "right") :]), len(path))) for s in starts]
    placed = []
    at = 0
    for units in words:
        start, end = int(starts[at]), ends[at + len(units) - 1]
        placed.append(Placed(start, end, float(np.exp(ratio[start:end].mean()))))
        at += len(units)
    return placed


def _longest(flags: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
