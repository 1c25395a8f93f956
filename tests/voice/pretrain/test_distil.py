"""A student learns from a teacher on a tiny corpus, resumes to the same weights, and strangers stay out."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch

from voice.nets.hubert import HOP, RATE, ContentEncoder
from voice.pretrain import distil, realign
from voice.pretrain.corpus import RATES, Corpus
from voice.pretrain.distil import DistilTrainer, plateau, unsteady
from voice.pretrain.frames import frame_head
from voice.pretrain.realign import HeadTrainer, TeacherHead
from voice.pretrain.targets import EVERY_WORD, IGNORE, Targets, fitting, strangers
from voice.pretrain.teacher import DIMS
from voice.text.symbols import SYMBOLS
from voice.text.units import CTC_UNITS, unit_of
from voice.weights import load_tensors, save_tensors

IDS = {symbol: number for number, symbol in enumerate(SYMBOLS)}
PHONES = ("HH", "AY1", "N", "IY0")
UNITS = [unit_of(phone) for phone in PHONES]
SECONDS = 0.8
SPEAKERS = [f"reader_{n:02d}" for n in range(18)]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen readers of one word: every phone is a tone of its own, and teacher frames tell which."""
    folder = tmp_path_factory.mktemp("work")
    dice = np.random.default_rng(0)
    sounds: dict[int, list[np.ndarray]] = {rate: [] for rate in RATES}
    rows, units, frames = [], [], []
    at = [0, 0]
    for speaker in SPEAKERS:
        size = int(SECONDS * RATE)
        count = size // HOP
        which = np.arange(count) * len(UNITS) // count
        tone = np.repeat(300.0 * (1 + which), HOP)[:size]
        wav = 0.3 * np.sin(2 * np.pi * np.cumsum(tone) / RATE) + 0.01 * dice.standard_normal(size)
        sizes = [size * 3 // 2, size]
        for rate, length in zip(RATES, sizes, strict=True):
            sounds[rate].append((32767 * np.resize(wav, length)).astype(np.int16))
        row = {"file": f"{speaker}.wav", "part": "human", "speaker": speaker, "lang": "en", "kind": "read sentence"}
        rows.append(row | {"start": list(at), "size": sizes, "phones": [IDS[p] for p in PHONES], "units": UNITS})
        at = [a + s for a, s in zip(at, sizes, strict=True)]
        units.append(np.array(UNITS)[which])
        frames.append(np.eye(DIMS)[which] * 4 + dice.standard_normal((count, DIMS)) * 0.1 + int(speaker[-2:]) / 10)
    for rate, parts in sounds.items():
        np.concatenate(parts).tofile(folder / f"{rate}.i16")
    (folder / "index.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    starts = np.cumsum([0, *(len(u) for u in units)])
    save_tensors(
        folder / "frames.safetensors",
        {"unit": torch.from_numpy(np.concatenate(units)).to(torch.int16), "start": torch.from_numpy(starts)},
    )
    np.concatenate(frames).astype(np.float16).tofile(folder / "teacher.f16")
    save_tensors(folder / "teacher.safetensors", {"weight": torch.eye(DIMS, DIMS), "mean": torch.zeros(DIMS)})
    torch.manual_seed(0)
    ContentEncoder().save(folder / "content.safetensors")
    return folder


def options(work: Path, target: Path, **changed: object) -> Namespace:
    usual = {"steps": 3, "rate": 3e-4, "seed": 5, "device": "cpu", "minutes": None, "budget": 4.0, "feature_layer": 5}
    usual |= {"steady": 0.5, "strength": 1.0}
    usual |= {"arrays": work, "longest": 20.0}
    return Namespace(work=work, target=target, **(usual | changed))


def linked(work: Path, target: Path) -> Path:
    """A target folder with the teacher's frames and the labels."""
    target.mkdir()
    for name in ("teacher.f16", "teacher.safetensors", "frames.safetensors"):
        (target / name).symlink_to(work / name)
    return target


def test_speakers_are_held_out_whole(work: Path, tmp_path: Path) -> None:
    away = strangers(Corpus(work).clips)
    assert away == {SPEAKERS[0], SPEAKERS[16]}
    trainer = DistilTrainer(options(work, linked(work, tmp_path / "t")))
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


def test_a_resumed_student_is_the_one_that_was_not_stopped(work: Path, tmp_path: Path) -> None:
    whole, parts = linked(work, tmp_path / "whole"), linked(work, tmp_path / "parts")
    distil.run(options(work, whole, steps=2))
    distil.run(options(work, parts, steps=2, minutes=0.0))  # stops after one step
    distil.run(options(work, parts, steps=2))
    for name in ("content.safetensors", "frame_head.safetensors"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()
    assert ContentEncoder.load(whole / "content.safetensors").config.feature_layer == 5
    assert frame_head(whole) is not None
    before, _ = load_tensors(work / "content.safetensors")
    after, _ = load_tensors(whole / "content.safetensors")
    assert before.keys() == after.keys() and any(not torch.equal(before[name], after[name]) for name in before)


def test_steps_inside_a_unit_count_and_no_others() -> None:
    units = torch.tensor([[3, 3, 4, 4, 0, 0, 5, IGNORE, IGNORE]])
    frames = torch.zeros(1, 9, 2)
    frames[0, 2:] = 1.0  # a step between two units
    frames[0, 5] = 9.0  # one in silence
    frames[0, 8] = 9.0  # one in the pads
    assert float(unsteady(frames, units)) == 0.0
    frames[0, 3] = 2.0
    spread = frames[units > 0].var(0).mean()
    assert float(unsteady(frames, units)) == pytest.approx(float(0.5 / spread))
    assert float(unsteady(7 * frames, units)) == pytest.approx(float(0.5 / spread))


def test_a_step_weighs_all_its_lessons(work: Path, tmp_path: Path) -> None:
    trainer = DistilTrainer(options(work, linked(work, tmp_path / "t"), rate=1e-3))
    row = trainer.step(1)
    total = row["frame"] + distil.CTC_SHARE * row["ctc"] + distil.TEACHER_SHARE * row["teacher"] + 0.5 * row["unsteady"]
    assert row["loss"] == pytest.approx(total, rel=1e-4)
    assert all(parameter.grad is not None for parameter in (*trainer.head.parameters(), *trainer.guess.parameters()))
    assert trainer.validate().keys() >= {"loss", "right", "ctc_error", "frame_error", "teacher"}


def test_a_head_on_the_teacher_learns_the_units_and_places_them(work: Path, tmp_path: Path) -> None:
    target = linked(work, tmp_path / "t")
    (target / "frames.safetensors").unlink()  # written here: the link would be written through
    realign.run(options(work, target, steps=60, rate=3e-3))
    before, after = (load_tensors(folder / "frames.safetensors")[0] for folder in (work, target))
    assert torch.equal(before["start"], after["start"])
    assert float((before["unit"] == after["unit"]).float().mean()) > 0.9
    assert HeadTrainer(options(work, target)).validate().keys() == {"right", "ctc_error"}


def test_a_clip_too_short_for_its_phones_is_not_aligned(work: Path) -> None:
    clip = Corpus(work).clips[0]
    wav = np.ones(4 * HOP, dtype=np.float32)
    assert realign.labels(wav, clip, torch.zeros(4, len(CTC_UNITS))).tolist() == [IGNORE] * 4


def test_the_head_reads_frame_by_frame() -> None:
    frame, ctc = TeacherHead().eval()(torch.zeros(2, 7, DIMS))
    assert frame.shape == ctc.shape == (2, 7, len(CTC_UNITS))


def test_the_rate_rises_stays_and_falls() -> None:
    assert plateau(50, 1000) == 0.5 and plateau(100, 1000) == plateau(490, 1000) == 1.0
    assert plateau(300, 1000) == plateau(300, 5000)
    falling = [plateau(step, 1000) for step in range(520, 1001)]
    assert falling == sorted(falling, reverse=True) and falling[-1] == pytest.approx(0.03)
