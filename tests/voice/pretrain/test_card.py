"""The card of a base: every training, every file, where weights and data come from and under which licence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from stages.pretrained import read_card
from tests.voice.pretrain.tiny_corpus import SPEAKERS, options, write_corpus
from voice.bits import Scheme
from voice.errors import UserError
from voice.files import sha256_file
from voice.nets.stored import Stored
from voice.nets.whisper_units import WhisperUnits, WhisperUnitsConfig
from voice.pretrain import card
from voice.pretrain.card import ALWAYS, FILES, training_of, trainings
from voice.train.loop import write_history

ROWS: list[dict[str, float]] = [{"step": 0, "valid_loss": 9.0}, {"step": 50, "loss": 2.0}, {"step": 70, "loss": 1.5}]
SMALL = WhisperUnitsConfig(hidden=32, layers=1, heads=2, ffn=48, positions=50, directions=16, width=16)


def curves(folder: Path, *names: str) -> Path:
    for name in names:
        write_history(folder / f"{name}.loss.tsv", ROWS)
    return folder


def test_a_card_tells_steps_and_the_last_of_each_measure(tmp_path: Path) -> None:
    curves(tmp_path, "units")
    assert training_of(tmp_path / "units.loss.tsv") == {"steps": 70, "last": {"valid_loss": 9.0, "loss": 1.5}}


def test_a_card_names_every_training_and_the_first_encoder(tmp_path: Path) -> None:
    work = curves(tmp_path / "work", "realign", *ALWAYS)
    first = curves(tmp_path / "first", "content", "acoustic")
    write_history(first / "acoustic.loss.tsv", [{"step": 1, "loss": 7.0}])
    found = trainings([work, first])
    assert list(found) == ["content", "realign", *ALWAYS] and found["acoustic"]["steps"] == 70


@pytest.mark.parametrize("missing", ALWAYS)
def test_a_part_that_was_not_trained_is_named(missing: str, tmp_path: Path) -> None:
    curves(tmp_path, *{"realign", *ALWAYS} - {missing})
    with pytest.raises(UserError, match=rf"no {missing}\.loss\.tsv"):
        trainings([tmp_path])


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A corpus of two readers and a content encoder; the other files are copies of it."""
    work = curves(write_corpus(tmp_path, 0.8, speakers=SPEAKERS[:2]), *ALWAYS)
    torch.manual_seed(0)
    model = WhisperUnits(SMALL)
    for name in FILES:
        model.save(work / f"{name}.safetensors")
    return work


def test_a_card_with_its_files_is_a_base_that_the_pipeline_reads(work: Path) -> None:
    out = work / "mini"
    card.run(options(work, work, out=out, first=None))
    found = read_card(out)
    assert found["files"].keys() == {f"{name}.safetensors" for name in FILES}
    for name, entry in found["files"].items():
        assert entry["sha256"] == sha256_file(out / name) and entry["bytes"] == (out / name).stat().st_size
    assert {file.name for file in out.iterdir()} == {"card.json", "LICENSE-whisper.txt", *found["files"]}
    assert [(row["clips"], row["speakers"]) for row in found["data"]] == [(2, 2)]


def test_a_card_names_whose_layers_are_in_it_and_their_licence_lies_beside(work: Path) -> None:
    card.run(options(work, work, out=work / "mini", first=None))
    told = json.loads((work / "mini/card.json").read_text(encoding="utf-8"))
    (entry,) = told["weights"]
    assert entry["origin"].startswith("openai/whisper") and "4 bits" in entry["changed"]
    assert entry["licence"] == "MIT, Copyright (c) 2022 OpenAI" and entry["file"] in told["files"]
    text = (work / "mini" / entry["licence_text"]).read_text(encoding="utf-8")
    assert "Copyright (c) 2022 OpenAI" in text and "without restriction" in text and "WITHOUT WARRANTY" in text
    assert "isper" not in json.dumps(told["data"]) + told["attribution"]


def test_values_in_few_bits_are_counted_as_values(work: Path) -> None:
    model = WhisperUnits(SMALL)
    assert any(isinstance(how, Scheme) for how in model.few_bits.values()) and isinstance(model, Stored)
    by_rule = sum(t.numel() for name, t in model.state_dict().items() if name.startswith(model.by_rule))
    expected = sum(t.numel() for t in model.state_dict().values()) - by_rule
    assert card.file_of(work / "content.safetensors")["parameters"] == expected


def test_a_base_that_is_not_whole_or_too_large_is_refused(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "LIMIT_BYTES", 1000)
    with pytest.raises(UserError, match="the limit is 1000"):
        card.run(options(work, work, out=work / "mini", first=None))
    (work / "heard.safetensors").unlink()
    with pytest.raises(UserError, match="no heard"):
        card.run(options(work, work, out=work / "mini", first=None))
    assert not (work / "mini").exists()
