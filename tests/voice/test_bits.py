"""Weights in few bits: what packing loses is bounded, what it stores is as small as promised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.bits import SHRINKS, Scheme, pack, unpack


def _weight(shape: tuple[int, ...], seed: int, spread: float = 1.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * spread).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(
    bits=st.integers(2, 8),
    group=st.sampled_from([0, 1, 3, 8, 32]),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 7)),
    seed=st.integers(0, 999),
    spread=st.sampled_from([0.2, 1.0, 50.0]),
)
def test_no_weight_moves_further_than_the_scale_allows(
    bits: int, group: int, shape: tuple[int, ...], seed: int, spread: float
) -> None:
    weight, scheme = _weight(shape, seed, spread), Scheme(bits, group)
    found = pack(weight, scheme)
    back, columns, most = unpack(found), shape[1] * shape[2], 2 ** (bits - 1) - 1
    assert back.shape == weight.shape and back.dtype == np.float32
    assert found.data.shape == (shape[0], -(-columns * bits // 8))
    assert found.scales.shape == (shape[0], -(-columns // group) if group else 1)
    size = group or columns
    for row, again in zip(weight.reshape(shape[0], -1), back.reshape(shape[0], -1), strict=True):
        for start in range(0, columns, size):
            part, same = row[start : start + size], again[start : start + size]
            top = np.abs(part).max()
            cut = (1 - SHRINKS.min()) * top  # what clipping may take from the largest
            assert np.abs(part - same).max() <= max(cut, 0.5 * top / most) * 1.01 + 1e-6
            plain = np.rint(part / (top / most)) * (top / most)
            rounding = len(part) * (2e-3 * top) ** 2  # of the scale to float16
            assert np.square(part - same).sum() <= np.square(part - plain).sum() * 1.05 + rounding


@pytest.mark.parametrize("bits", range(2, 9))
def test_what_the_grid_holds_comes_back_exactly(bits: int) -> None:
    most = 2 ** (bits - 1) - 1
    whole = np.random.default_rng(bits).integers(-most, most + 1, (6, 40))
    whole[:, 0] = most
    weight = (whole * 0.25).astype(np.float32)
    assert np.array_equal(unpack(pack(weight, Scheme(bits))), weight)


@settings(max_examples=100, deadline=None)
@given(
    bits=st.integers(2, 8),
    group=st.sampled_from([0, 3, 8, 32]),
    shape=st.tuples(st.integers(1, 6), st.integers(1, 40)),
    seed=st.integers(0, 9999),
    spread=st.sampled_from([1e-3, 0.2, 50.0]),
)
def test_packing_what_was_unpacked_gives_the_same_bytes(
    bits: int, group: int, shape: tuple[int, ...], seed: int, spread: float
) -> None:
    once = pack(_weight(shape, seed, spread), Scheme(bits, group))
    twice = pack(unpack(once), once.scheme)
    assert np.array_equal(twice.data, once.data) and np.array_equal(twice.scales, once.scales)
    assert twice.unit == once.unit


def test_zeros_stay_zeros_and_a_group_of_them_does_no_harm() -> None:
    weight = _weight((4, 64), 0)
    weight[:, 32:] = 0
    back = unpack(pack(weight, Scheme(4, 32)))
    assert np.isfinite(back).all() and not back[:, 32:].any()


def test_size_and_loss_go_against_each_other() -> None:
    weight = _weight((64, 512), 1)
    packs = [pack(weight, scheme) for scheme in (Scheme(4), Scheme(4, 64), Scheme(4, 32), Scheme(6), Scheme(8))]
    sizes = [found.nbytes for found in packs]
    losses = [float(np.square(unpack(found) - weight).mean()) for found in packs]
    assert sizes == sorted(sizes) and losses == sorted(losses, reverse=True)
    assert sizes[2] == 64 * (512 // 2 + 2 * 512 // 32)


@pytest.mark.parametrize(("bits", "group"), [(1, 0), (9, 0), (4, -1)])
def test_other_schemes_are_refused(bits: int, group: int) -> None:
    with pytest.raises(ValueError, match="bits"):
        Scheme(bits, group)
