"""The content encoder from a made-up Whisper: its layers as they are stored, its frames made once, its head taught."""

from __future__ import annotations

import csv
import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.voice.pretrain.tiny_corpus import options, write_corpus
from voice.nets.content_frames import HOP, RATE
from voice.nets.whisper import WhisperContent, WhisperContentConfig
from voice.nets.whisper_units import UnitHead, WhisperUnits, WhisperUnitsConfig
from voice.pretrain import units
from voice.pretrain.corpus import Corpus
from voice.pretrain.teacher import DIMS, LAYER
from voice.weights import load_tensors, save_tensors

SIZES: dict[str, Any] = {"hidden": 64, "heads": 2, "ffn": 96, "positions": 100}


class Small(WhisperUnits):
    """The encoder at a size of its own where none is given."""

    def __init__(self, config: WhisperUnitsConfig | None = None) -> None:
        super().__init__(config or WhisperUnitsConfig(**SIZES))


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("arrays"), 0.8)


def whisper(seed: int) -> WhisperContent:
    torch.manual_seed(seed)
    return WhisperContent(WhisperContentConfig(**SIZES, layers=6, fill=True, feature_layer=LAYER)).eval()


def begun(arrays: Path, target: Path, seed: int = 1) -> Path:
    """What `teacher` and `realign` leave, of a teacher that knows nothing."""
    target.mkdir(exist_ok=True)
    dice = torch.Generator().manual_seed(seed)
    basis = {"weight": torch.randn(SIZES["hidden"], DIMS, generator=dice), "mean": torch.ones(SIZES["hidden"])}
    save_tensors(target / "teacher.safetensors", basis)
    torch.manual_seed(seed)
    save_tensors(target / "teacher_head.safetensors", UnitHead().state_dict())
    save_tensors(target / "frames.safetensors", load_tensors(arrays / "frames.safetensors")[0])
    return target


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "WhisperUnits", Small)
    monkeypatch.setattr(units, "load_teacher", lambda folder, layer: whisper(2))


def run(arrays: Path, target: Path, **changed: object) -> Namespace:
    args = options(arrays, target, teacher=target, **{"steps": 2, "rate": 1e-3, **changed})
    units.run(args)
    return args


def test_the_encoder_has_the_teachers_layers_directions_and_head(arrays: Path, tmp_path: Path) -> None:
    model = units.assembled(options(arrays, begun(arrays, tmp_path), teacher=tmp_path))
    teacher, own = whisper(2).encoder.state_dict(), model.whisper.encoder.state_dict()
    assert {name.split(".")[1] for name in own if name.startswith("layers.")} == {"0", "1", "2", "3"}
    for name, tensor in own.items():
        if name.startswith(("layers.", "conv")):
            off = float((tensor - teacher[name]).square().mean().sqrt() / teacher[name].square().mean().sqrt())
            assert 0.02 < off < 0.2 if tensor.dim() > 1 else torch.allclose(tensor, teacher[name], atol=1e-3), name
    basis, _ = load_tensors(tmp_path / "teacher.safetensors")
    frames = torch.randn(3, SIZES["hidden"])
    expected = (frames - basis["mean"]) @ basis["weight"]
    assert torch.allclose(model.project(frames), expected, atol=0.1)
    head, _ = load_tensors(tmp_path / "teacher_head.safetensors")
    assert all(torch.allclose(t, head[name], atol=0.01) for name, t in model.head.state_dict().items())


def test_frames_are_those_of_the_encoder_as_it_is_stored(arrays: Path, tmp_path: Path) -> None:
    args = run(arrays, begun(arrays, tmp_path))
    corpus, stored = Corpus(arrays), WhisperUnits.load(tmp_path / "content.safetensors")
    found = units.Frames(args.target, corpus)
    for clip in corpus.clips[::7]:
        with torch.no_grad():
            wanted = stored.frames(torch.from_numpy(corpus.wav(clip, RATE))[None])[0][0]
        assert found.of(clip).shape == (clip.size[RATE] // HOP, DIMS)
        assert torch.allclose(found.of(clip), wanted, atol=0.01 * float(wanted.abs().max()))


def test_the_head_learns_the_units(arrays: Path, tmp_path: Path) -> None:
    run(arrays, begun(arrays, tmp_path), steps=60, rate=3e-3)
    with (tmp_path / "units.loss.tsv").open() as file:
        right = [float(row["valid_right"]) for row in csv.DictReader(file, delimiter="\t") if row["valid_right"]]
    assert right[0] < 0.5 and right[-1] > 0.8


def test_a_stopped_step_goes_on_to_the_same_files(arrays: Path, tmp_path: Path) -> None:
    whole, parts = begun(arrays, tmp_path / "whole"), begun(arrays, tmp_path / "parts")
    run(arrays, whole)
    run(arrays, parts, minutes=0.0)  # stops after one step
    run(arrays, parts)
    for name in ("content.safetensors", "units.f16"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()


@pytest.mark.parametrize("stop", [0, 1, 17])
def test_frames_that_were_begun_are_gone_on_with(
    stop: int, arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = begun(arrays, tmp_path / "whole"), begun(arrays, tmp_path / "parts")
    run(arrays, whole)
    usual, heard = WhisperUnits.frames, [0]

    def frames(self: WhisperUnits, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        heard[0] += 1
        if heard[0] == stop + 1:
            raise KeyboardInterrupt
        return usual(self, *given)

    monkeypatch.setattr(WhisperUnits, "frames", frames)
    with pytest.raises(KeyboardInterrupt):
        run(arrays, parts)
    with (parts / "units/units.part").open("ab") as file:
        file.write(b"half a frame")
    assert not (parts / "units.f16").exists()
    run(arrays, parts)
    assert heard[0] == len(Corpus(arrays).clips) + 1
    assert (whole / "units.f16").read_bytes() == (parts / "units.f16").read_bytes()


def test_frames_are_kept_for_the_same_encoder_and_sound_and_made_anew_for_others(arrays: Path, tmp_path: Path) -> None:
    target = begun(arrays, tmp_path / "t")
    file, note = target / "units/units.f16", target / "units/frames.json"
    run(arrays, target)
    first, told = file.read_bytes(), json.loads(note.read_text())
    (target / "units/checkpoint.pt").unlink()
    kept = np.zeros(len(first) // 2, np.float16).tobytes()
    file.write_bytes(kept)  # so that it shows whether they are made again
    run(arrays, target)
    assert file.read_bytes() == kept == (target / "units.f16").read_bytes()
    begun(arrays, target, seed=9)
    run(arrays, target)
    assert file.read_bytes() not in (first, kept) and json.loads(note.read_text()) != told
    begun(arrays, target)
    note.unlink()  # of unknown making
    run(arrays, target)
    assert file.read_bytes() == first
