"""What is held comes out as it went in, for as many readers as ask, and is gone with the process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from voice.audio import to_int16
from voice.mastering.held import Held

EMPTY = np.zeros(0, np.int16)


def whole(held: Held) -> NDArray[np.int16]:
    return np.concatenate([EMPTY, *held.blocks()])


@settings(max_examples=25)
@given(sizes=st.lists(st.integers(0, 90_000), max_size=4), floats=st.booleans(), seed=st.integers(0, 99))
def test_blocks_of_any_size_come_back(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], floats: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    waves = [rng.integers(-32768, 32767, size).astype(np.int16) for size in sizes]
    came = [wave.astype(np.float32) / 32768 for wave in waves] if floats else waves
    kept = [to_int16(wave) for wave in came] if floats else waves
    with Held(tmp_path_factory.mktemp("held")) as held:
        passed = list(held.fill(came))
        assert all(block.dtype == np.int16 for block in passed)
        for found in (passed, list(held.blocks()), list(held.blocks())):
            assert np.array_equal(np.concatenate([EMPTY, *found]), np.concatenate([EMPTY, *kept]))


def test_two_readers_do_not_move_each_other_and_a_shorter_filling_leaves_nothing_of_the_longer(tmp_path: Path) -> None:
    with Held(tmp_path) as held:
        long = np.arange(200_000, dtype=np.int32).astype(np.int16)
        for _ in held.fill([long]):
            pass
        first, second = held.blocks(), held.blocks()
        parts = [(next(first), next(second)) for _ in range(3)]
        assert all(np.array_equal(a, b) for a, b in parts)
        for _ in held.fill([long[:10]]):
            pass
        assert np.array_equal(whole(held), long[:10])
        assert list(tmp_path.iterdir()) == []  # no name, so a kill leaves nothing
