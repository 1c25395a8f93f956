"""Frame labels of the corpus: alignment, silence, and taking over weights of an earlier base."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from voice.pretrain.frames import placed, sounding, walk
from voice.pretrain.marks import vary_marks
from voice.pretrain.refine import disturb
from voice.pretrain.tokens import DIRECTIONS, discriminants
from voice.pretrain.warm import warm_start
from voice.text.symbols import SYMBOLS
from voice.text.units import CTC_UNITS, unit_of
from voice.weights import save_tensors

IDS = {symbol: number for number, symbol in enumerate(SYMBOLS)}


def scores(labels: list[int]) -> torch.Tensor:
    """Log probabilities [T, units] that are sure of `labels`."""
    hot = torch.full((len(labels), len(CTC_UNITS)), -8.0)
    hot[torch.arange(len(labels)), torch.tensor(labels)] = 0.0
    return hot.log_softmax(-1)


def test_punctuation_and_silent_onsets_have_no_place() -> None:
    phones = (IDS[","], IDS["HH"], IDS["AY1"], IDS["."], IDS["AA"], IDS["an1"])
    assert [i for i, _ in placed(phones)] == [1, 2, 5]


def test_a_walk_names_the_phone_last_begun_and_where_silence_is() -> None:
    phones = (IDS["HH"], IDS["AY1"], IDS["."])
    hh, ay = unit_of("HH"), unit_of("AY1")
    assert hh is not None and ay is not None
    spoken, blank = walk(scores([0, hh, hh, 0, ay, ay, ay, 0]), phones)
    assert spoken.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert blank.tolist() == [True, False, False, True, False, False, False, True]


def test_a_walk_keeps_two_equal_neighbours_apart() -> None:
    n = unit_of("N")
    assert n is not None
    spoken, _ = walk(scores([n, n, 0, n, n]), (IDS["N"], IDS["N"]))
    assert spoken.tolist() == [0, 0, 0, 1, 1]


def test_only_loud_frames_sound() -> None:
    wav = np.concatenate([np.full(640, 0.5), np.full(640, 1e-4), np.full(320, 0.1)]).astype(np.float32)
    assert sounding(wav, 5).tolist() == [True, True, False, False, True]


@pytest.mark.parametrize("seed", range(5))
def test_labels_follow_a_change_of_speed(seed: int) -> None:
    wav = torch.cat([torch.zeros(16000), torch.ones(16000)])
    labels = torch.cat([torch.zeros(50), torch.ones(50)]).long()
    changed, moved = disturb(wav, labels, random.Random(seed))
    assert len(moved) == len(changed) // 320
    turn = int((moved == 1).nonzero()[0])
    assert turn / len(moved) == pytest.approx(0.5, abs=0.02)


def test_discriminants_set_classes_apart_and_ignore_the_rest() -> None:
    dice = np.random.default_rng(0)
    units = dice.integers(0, 60, 6000)
    frames = dice.normal(0, 1, (6000, 80)).astype(np.float32)
    frames[:, 79] *= 50  # loud, and tells nothing
    frames[:, :59] += 4 * np.eye(60, 59, dtype=np.float32)[units]
    weight, bias = discriminants(frames, units)
    seen = frames @ weight + bias
    assert np.abs(seen[:, DIRECTIONS:]).max() == 0
    inside = np.mean([seen[units == u][:, :DIRECTIONS].var(0) for u in range(60)], axis=0)
    assert inside == pytest.approx(np.ones(DIRECTIONS), rel=0.1)
    assert np.abs(weight[79]).max() < 0.05


def test_a_warm_start_takes_what_fits_and_leaves_the_rest(tmp_path: Path) -> None:
    save_tensors(tmp_path / "w.safetensors", {"0.weight": torch.ones(3, 2), "1.weight": torch.ones(9, 9)})
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    before = model[1].weight.clone()
    assert warm_start(model, tmp_path / "w.safetensors") == 1
    assert torch.equal(model[0].weight, torch.ones(3, 2)) and torch.equal(model[1].weight, before)
    assert warm_start(model, tmp_path / "w.safetensors", ("1.",)) == 0


def test_marks_vary_and_nothing_else_does() -> None:
    phones = [IDS["HH"], IDS["."], IDS[","], IDS["?"]] * 200
    varied = vary_marks(phones, random.Random(0)).tolist()
    assert len(varied) == len(phones) and set(varied[0::4]) == {IDS["HH"]} and set(varied[3::4]) == {IDS["?"]}
    assert {IDS[m] for m in ".?!…"} == set(varied[1::4]) and {IDS[m] for m in ",…-"} == set(varied[2::4])
    assert 0.6 < varied[1::4].count(IDS["."]) / 200 < 0.8
