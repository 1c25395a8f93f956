from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchaudio.functional import forced_align

from tests.voice.alignment.frames import heard
from voice.alignment import lattice
from voice.alignment.lattice import BLANK, FILLER, Costs, best_path

PLAIN = Costs(filler=1e6, enter=0.0, skip=1e6, beam=1e9)  # neither way out is ever worth it
WORDS = st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=3), min_size=1, max_size=5)


def noise(frames: int, units: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(frames, units, generator=generator)).log_softmax(-1)


@settings(max_examples=150, deadline=None)
@given(WORDS, st.integers(0, 30), st.integers(0, 10**6))
def test_without_a_way_out_the_path_is_that_of_forced_alignment(words: list[list[int]], more: int, seed: int) -> None:
    units = list(chain(*words))
    frames = len(units) + sum(a == b for a, b in pairwise(units)) + more
    log_probs = noise(frames, 7, seed)
    theirs, _ = forced_align(log_probs[None], torch.tensor([units], dtype=torch.int32), blank=0)
    ours = best_path(log_probs.numpy(), words, PLAIN)
    assert [0 if k == BLANK else units[k] for k in ours] == theirs[0].tolist()


@settings(max_examples=60, deadline=None)
@given(WORDS, st.integers(0, 60), st.integers(0, 10**6))
def test_units_come_in_order_and_words_whole_or_not_at_all(words: list[list[int]], frames: int, seed: int) -> None:
    path = best_path(noise(frames, 7, seed).numpy(), words, Costs(filler=1.0, enter=1.0, skip=0.5))
    assert len(path) == frames
    units = path[path >= 0]
    assert (np.diff(units) >= 0).all()
    seen, at = set(units.tolist()), 0
    for word in words:
        assert len(seen & set(range(at, at + len(word)))) in (0, len(word))
        at += len(word)


@pytest.mark.parametrize("piece", [1, 7, 50])
def test_reading_back_in_pieces_changes_nothing(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search forgets what lies three pieces back; by then all paths have met, if a piece is long enough."""
    words = [[1 + (7 * k + i) % 20 for i in range(4)] for k in range(60)]
    frames = [f for k, word in enumerate(words) if k % 5 for unit in word for f in (unit, unit, 0)]
    log_probs = heard(frames, 0.8).numpy()
    whole = best_path(log_probs, words, Costs())
    monkeypatch.setattr(lattice, "_PIECE", piece * 5)
    assert best_path(log_probs, words, Costs()).tolist() == whole.tolist()


def test_a_word_that_was_not_said_is_passed_over_and_one_not_written_is_filler() -> None:
    words = [[1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13]]
    extra = [30, 31, 32, 33, 34, 35, 36, 37]
    frames = [f for unit in [1, 2, 3, 4, *extra, 10, 11, 12, 13] for f in (unit, unit)]
    path = best_path(heard(frames).numpy(), words, Costs())
    assert path[:8].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert set(path[8:24].tolist()) == {FILLER}
    assert path[24:].tolist() == [9, 9, 10, 10, 11, 11, 12, 12]


def test_nothing_to_find_and_nothing_to_hear() -> None:
    assert best_path(heard([0, 5, 0]).numpy(), [], Costs()).tolist() == [FILLER] * 3
    assert best_path(np.zeros((0, 7), dtype=np.float32), [[1]], Costs()).tolist() == []


def test_hours_need_little_memory() -> None:
    """20 minutes of sound and 3,000 words: the codes of all states at once would take gigabytes."""
    import tracemalloc

    rng = np.random.default_rng(0)
    words = [rng.integers(1, 70, size=4).tolist() for _ in range(3000)]
    frames = [f for word in words for unit in word for f in (unit, unit, unit, unit, 0)]
    log_probs = heard(frames, 0.7).numpy()
    best_path(log_probs[:10], words[:2], Costs())  # compiled before it is measured
    tracemalloc.start()
    path = best_path(log_probs, words, Costs())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(set(path[path >= 0].tolist())) == 12000
    assert peak < 200e6
