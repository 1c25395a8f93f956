"""Batches of similar length, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch


def length_batches(
    lengths: Sequence[float], budget: float, seed: int, epoch: int, jitter: float = 0.2
) -> list[list[int]]:
    """Indices grouped so that (items x longest item) stays within `budget` (same unit as `lengths`).

    Items are sorted by length with a random `jitter`, cut into batches, and the batches are shuffled.
    Every index appears exactly once; an item longer than the budget is a batch of its own.
    """
    rng = random.Random(seed * 100_003 + epoch)
    order = sorted(range(len(lengths)), key=lambda i: lengths[i] * (1 + jitter * (rng.random() - 0.5)))
    batches: list[list[int]] = []
    group: list[int] = []
    longest = 0.0
    for index in order:
        if group and max(longest, lengths[index]) * (len(group) + 1) > budget:
            batches.append(group)
            group, longest = [], 0.0
        group.append(index)
        longest = max(longest, lengths[index])
    if group:
        batches.append(group)
    rng.shuffle(batches)
    return batches


class Epochs:
    """Batch number n of an endless run: epoch after epoch of `length_batches`."""

    def __init__(self, lengths: Sequence[float], budget: float, seed: int) -> None:
        self._lengths, self._budget, self._seed = lengths, budget, seed
        self._epoch = -1
        self._batches: list[list[int]] = []
        self._first = 0

    def batch(self, number: int) -> list[int]:
        """Indices of batch `number` (from 0). Going back restarts the count, so any order of calls is right."""
        if number < self._first:
            self._epoch, self._batches, self._first = -1, [], 0
        while number >= self._first + len(self._batches):
            self._first += len(self._batches)
            self._epoch += 1
            self._batches = length_batches(self._lengths, self._budget, self._seed, self._epoch)
        return self._batches[number - self._first]


def pad_right(items: Sequence[torch.Tensor], value: float = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Stack tensors [..., n_i] padded on the right to [B, ..., max n]; also their lengths [B]."""
    sizes = torch.tensor([item.shape[-1] for item in items])
    out = items[0].new_full((len(items), *items[0].shape[:-1], int(sizes.max())), value)
    for row, item in zip(out, items, strict=True):
        row[..., : item.shape[-1]] = item
    return out, sizes
