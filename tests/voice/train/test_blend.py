"""Between the weights before a fine-tuning and after it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voice.errors import UserError
from voice.train.blend import blend

BEFORE = {"enc.a": torch.zeros(3), "enc.b.c": torch.zeros(2), "dec.a": torch.zeros(1), "count": torch.tensor(3)}
AFTER = {"enc.a": torch.ones(3), "enc.b.c": torch.ones(2), "dec.a": torch.ones(1), "count": torch.tensor(7)}


def test_the_longest_start_counts_and_what_none_fits_is_tuned() -> None:
    mixed = blend(BEFORE, AFTER, {"enc": 0.25, "enc.b": 0.75})
    assert {name: value.tolist() for name, value in mixed.items()} == {
        "enc.a": [0.25] * 3,
        "enc.b.c": [0.75] * 2,
        "dec.a": [1.0],
        "count": 7,
    }


def test_nothing_asked_is_the_tuned_weights_bit_by_bit() -> None:
    tuned = {"a": torch.randn(50), "b": torch.randn(50).half()}
    for shares in ({}, {"": 1.0}):
        mixed = blend({"a": torch.zeros(50), "b": torch.zeros(50)}, tuned, shares)
        assert all(mixed[name].dtype == tuned[name].dtype and torch.equal(mixed[name], tuned[name]) for name in tuned)


@given(st.floats(0, 1), st.integers(0, 2**31))
def test_it_lies_between(share: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    old, new = torch.randn(9, generator=generator), torch.randn(9, generator=generator)
    mixed = blend({"a": old}, {"a": new}, {"": share})["a"]
    torch.testing.assert_close(mixed, (1 - share) * old + share * new)
    if share == 0:
        assert torch.equal(mixed, old)


def test_wrong_starts() -> None:
    with pytest.raises(UserError, match="blend: no parameter starts with 'encoder'"):
        blend(BEFORE, AFTER, {"encoder": 0.5})
    with pytest.raises(ValueError, match="not in the weights before"):
        blend({}, AFTER, {"enc": 0.5})
