"""A head on the teacher's frames learns the units of a tiny corpus and places them; strangers stay out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.voice.pretrain.tiny_corpus import SPEAKERS, UNITS, linked, options, write_corpus
from voice.nets.content_frames import HOP
from voice.nets.whisper_units import UnitHead
from voice.pretrain import realign
from voice.pretrain.corpus import RATES, Corpus
from voice.pretrain.realign import HeadTrainer
from voice.pretrain.targets import EVERY_WORD, IGNORE, Targets, fitting, strangers
from voice.pretrain.teacher import DIMS
from voice.text.units import CTC_UNITS
from voice.weights import load_tensors

TAUGHT = ("teacher.f16", "teacher.safetensors")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("work"), 0.8)


def test_speakers_are_held_out_whole(work: Path, tmp_path: Path) -> None:
    away = strangers(Corpus(work).clips)
    assert away == {SPEAKERS[0], SPEAKERS[16]}
    corpus, target = Corpus(work), linked(work, tmp_path / "t", *TAUGHT)
    targets = Targets(corpus, work / "frames.safetensors", target)
    trainer = HeadTrainer(options(work, target), corpus, targets)
    assert {clip.speaker for clip in trainer.clips} == set(SPEAKERS) - away
    assert {clip.speaker for clip in trainer.held} <= away and trainer.held


def test_what_a_voice_adds_is_taken_away(work: Path) -> None:
    corpus = Corpus(work)
    targets = Targets(corpus, work / "frames.safetensors", work)
    raw = np.memmap(work / "teacher.f16", dtype=np.float16).reshape(-1, DIMS)
    unit, frames = targets.of(corpus.clips[7])
    count = len(unit)
    assert unit.tolist() == sorted(unit.tolist(), key=UNITS.index) and frames.shape == (count, DIMS)
    mean = raw[7 * count : 8 * count].astype(np.float32).mean(0) * count / (count + 500)
    assert frames.numpy() == pytest.approx(raw[7 * count : 8 * count].astype(np.float32) - mean, abs=0.01)


def test_isolated_words_are_thinned_out_and_what_cannot_be_aligned_left_out(work: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (work / "index.jsonl").read_text().splitlines()]
    for row in rows[:6]:
        row["kind"] = "isolated word"
    rows[7]["units"] = rows[7]["units"] * 20
    for rate in RATES:
        (tmp_path / f"{rate}.i16").symlink_to(work / f"{rate}.i16")
    (tmp_path / "index.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    corpus = Corpus(tmp_path)
    found = {clip.speaker for clip in fitting(corpus, Targets(corpus, work / "frames.safetensors", work))}
    assert len(found) == 18 - 6 + 6 // EVERY_WORD - 1 and SPEAKERS[7] not in found


def test_a_frame_file_of_another_name_may_keep_the_voice(work: Path, tmp_path: Path) -> None:
    (tmp_path / "other.f16").symlink_to(work / "teacher.f16")
    corpus = Corpus(work)
    targets = Targets(corpus, work / "frames.safetensors", tmp_path, "other.f16", centred=False)
    unit, frames = targets.of(corpus.clips[3])
    raw = np.memmap(work / "teacher.f16", dtype=np.float16).reshape(-1, DIMS)
    assert np.array_equal(frames.numpy(), raw[3 * len(unit) : 4 * len(unit)].astype(np.float32))


def test_a_head_on_the_teacher_learns_the_units_and_places_them(work: Path, tmp_path: Path) -> None:
    target = linked(work, tmp_path / "t", *TAUGHT)
    realign.run(options(work, work, target=target, steps=60, rate=3e-3))
    before, after = (load_tensors(folder / "frames.safetensors")[0] for folder in (work, target))
    assert torch.equal(before["start"], after["start"])
    assert float((before["unit"] == after["unit"]).float().mean()) > 0.9


def test_a_stopped_head_goes_on_to_the_same_weights(work: Path, tmp_path: Path) -> None:
    found = []
    for name, minutes in (("whole", [None]), ("parts", [0.0, None])):  # 0 minutes: one step
        target = linked(work, tmp_path / name, *TAUGHT)
        for limit in minutes:
            realign.run(options(work, work, target=target, minutes=limit))
        found.append([(target / f"{file}.safetensors").read_bytes() for file in ("teacher_head", "frames")])
    assert found[0] == found[1]


def test_a_clip_too_short_for_its_phones_is_not_aligned(work: Path) -> None:
    clip = Corpus(work).clips[0]
    wav = np.ones(4 * HOP, dtype=np.float32)
    assert realign.labels(wav, clip, torch.zeros(4, len(CTC_UNITS))).tolist() == [IGNORE] * 4


def test_the_head_reads_frame_by_frame() -> None:
    frame, ctc = UnitHead().eval()(torch.zeros(2, 7, DIMS))
    assert frame.shape == ctc.shape == (2, 7, len(CTC_UNITS))
