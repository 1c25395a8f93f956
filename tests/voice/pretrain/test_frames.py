"""Frame labels of the corpus: alignment, silence, and taking over weights of an earlier base."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tests.voice.pretrain.tiny_corpus import SPEAKERS, UNITS, options, write_corpus
from voice.nets.content_frames import HOP
from voice.nets.hubert import ContentEncoder
from voice.pretrain import frames
from voice.pretrain.frames import placed, sounding, walk
from voice.pretrain.marks import vary_marks
from voice.pretrain.warm import warm_start
from voice.text.symbols import SYMBOLS
from voice.text.units import CTC_UNITS, unit_of
from voice.weights import load_tensors, save_tensors

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


def test_quiet_frames_are_silent_and_what_cannot_be_aligned_is_marked(tmp_path: Path) -> None:
    write_corpus(tmp_path, 0.8, speakers=SPEAKERS[:2])
    rows = [json.loads(line) for line in (tmp_path / "index.jsonl").read_text().splitlines()]
    rows[1] |= {"phones": rows[1]["phones"] * 10, "units": rows[1]["units"] * 10}
    (tmp_path / "index.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    sound = np.memmap(tmp_path / "16000.i16", dtype=np.int16, mode="r+")
    sound[: 10 * HOP] = 0
    sound.flush()
    torch.manual_seed(0)
    ContentEncoder().save(tmp_path / "content.safetensors")
    frames.run(options(tmp_path, tmp_path))
    found, _ = load_tensors(tmp_path / "frames.safetensors")
    assert found["start"].tolist() == [0, 40, 80]
    assert set(found["unit"][:10].tolist()) == {0} and set(found["unit"][40:].tolist()) == {-1}
    assert found["unit"][10:40].unique_consecutive().tolist() == [u for u in UNITS if u in found["unit"][10:40]]


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
