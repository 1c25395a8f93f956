"""Batches: every item once an epoch, within the budget, in an order that only the seed decides."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from voice.train.batching import Epochs, length_batches, pad_right

LENGTHS = st.lists(st.floats(0.5, 20), min_size=1, max_size=60)


@given(LENGTHS, st.floats(5, 50), st.integers(0, 99), st.integers(0, 9))
def test_every_item_appears_once_and_the_budget_holds(
    lengths: list[float], budget: float, seed: int, epoch: int
) -> None:
    batches = length_batches(lengths, budget, seed, epoch)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= budget


@given(LENGTHS, st.integers(0, 40))
def test_a_batch_does_not_depend_on_what_was_asked_before(lengths: list[float], number: int) -> None:
    walked = Epochs(lengths, 30, seed=5)
    seen = [walked.batch(n) for n in range(number + 1)]
    fresh = Epochs(lengths, 30, seed=5)
    assert fresh.batch(number) == seen[number]
    assert fresh.batch(0) == seen[0]


def test_epochs_differ_and_seeds_differ() -> None:
    lengths = [1.0] * 30
    assert length_batches(lengths, 4, 1, 0) != length_batches(lengths, 4, 1, 1)
    assert length_batches(lengths, 4, 1, 0) != length_batches(lengths, 4, 2, 0)


def test_padding_is_on_the_right() -> None:
    out, sizes = pad_right([torch.tensor([1, 2, 3]), torch.tensor([4])], value=9)
    assert out.tolist() == [[1, 2, 3], [4, 9, 9]] and sizes.tolist() == [3, 1]
