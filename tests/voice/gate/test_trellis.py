"""Other wordings are scored exactly as if each had been aligned by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from voice.gate.trellis import Trellis

LABELS = 3
LOGS = st.integers(4, 6).flatmap(
    lambda frames: st.lists(st.integers(0, 2**16), min_size=frames, max_size=frames).map(
        lambda seeds: np.log([np.random.default_rng(seed).dirichlet(np.ones(LABELS)) for seed in seeds])
    )
)
UNITS = st.lists(st.integers(1, LABELS - 1), min_size=1, max_size=3)


def spelled(path: Sequence[int]) -> list[int]:
    """The units of a path of labels."""
    return [label for label, _ in groupby(path) if label]


def best(logs: NDArray[np.float64], units: Sequence[int]) -> float:
    """The best path of `units` among all paths there are."""
    if len(logs) == 0:
        return 0.0 if not units else -np.inf
    paths = (path for path in product(range(LABELS), repeat=len(logs)) if spelled(path) == list(units))
    return max((float(logs[np.arange(len(logs)), list(path)].sum()) for path in paths), default=-np.inf)


def any_between(logs: NDArray[np.float64], before: list[int], after: list[int], price: float) -> float:
    """The best path with any sounds, `price` each, from one frame to another, between two texts."""
    found = -np.inf
    for a in range(len(logs)):
        for b in range(a + 1, len(logs) + 1):
            ends = best(logs[:a], before) + best(logs[b:], after)
            if ends == -np.inf:
                continue
            for path in product(range(LABELS), repeat=b - a):
                if path[0] and path[-1]:
                    score = float(logs[np.arange(a, b), list(path)].sum()) - price * len(spelled(path))
                    found = max(found, ends + score)
    return found


def same(found: float, wanted: float) -> bool:
    """Equal, or both impossible."""
    return found < -1e20 if wanted == -np.inf else found == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(LOGS, UNITS)
def test_the_text_has_its_best_path(logs: NDArray[np.float64], units: list[int]) -> None:
    trellis = Trellis(logs, units)
    assert same(trellis.score, best(logs, units)) and trellis.fits == (best(logs, units) > -np.inf)


@settings(max_examples=60, deadline=None)
@given(LOGS, UNITS, UNITS, st.data())
def test_units_in_place_of_others(
    logs: NDArray[np.float64], units: list[int], said: list[int], data: st.DataObject
) -> None:
    trellis = Trellis(logs, units)
    if not trellis.fits:
        return
    start = data.draw(st.integers(0, len(units)))
    end = data.draw(st.integers(start, len(units)))
    wanted = best(logs, [*units[:start], *said, *units[end:]])
    assert same(trellis.instead(start, end, said) + trellis.score, wanted)


@settings(max_examples=60, deadline=None)
@given(LOGS, UNITS)
def test_units_left_out(logs: NDArray[np.float64], units: list[int]) -> None:
    trellis = Trellis(logs, units)
    if not trellis.fits:
        return
    table = trellis.without()
    for start in range(len(units)):
        for end in range(start + 1, len(units) + 1):
            rest = [*units[:start], *units[end:]]
            if rest:
                assert same(table[start, end] + trellis.score, best(logs, rest))
    assert np.isneginf(table[np.tril_indices(len(table))]).all()


@settings(max_examples=15, deadline=None)
@given(LOGS, UNITS, st.floats(0, 5), st.data())
def test_anything_in_place_of_units(
    logs: NDArray[np.float64], units: list[int], price: float, data: st.DataObject
) -> None:
    logs = logs[:4]
    trellis = Trellis(logs, units)
    if not trellis.fits:
        return
    start = data.draw(st.integers(0, len(units)))
    end = data.draw(st.integers(start, len(units)))
    wanted = any_between(logs, units[:start], units[end:], price)
    assert same(trellis.anything(start, end, price) + trellis.score, wanted)


def test_a_text_that_does_not_fit() -> None:
    assert not Trellis(np.zeros((3, LABELS)), [1, 1]).score < -1e20  # 1, blank, 1
    assert not Trellis(np.zeros((2, LABELS)), [1, 1]).fits
