"""Recordings remade from ever less of the truth, by bases of a few thousand weights."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from tests.voice.pretrain.test_probe import recording
from voice.errors import UserError
from voice.nets.acoustic import Acoustic, AcousticConfig
from voice.nets.semantic import Semantic, SemanticConfig
from voice.nets.whisper_units import WhisperUnits, WhisperUnitsConfig
from voice.pretrain import oracle
from voice.pretrain.oracle import WAYS, Base, reference
from voice.pretrain.probe import Said
from voice.takes import Heard

CODES = 12
SIZES: dict[str, Any] = {
    "codes": CODES, "inter": 24, "hidden": 16, "filters": 24, "layers_ssl": 1, "layers_text": 1, "layers_joint": 1,
    "mrte": 16, "posterior_layers": 1, "flow_layers": 1, "flows": 2, "gin": 12, "reference_hidden": 16,
}  # fmt: skip
BY_ANALYSIS = {"decoder_options": {"channels": 8, "blocks": 1, "n_fft": 960, "mels": 20}}
LEARNT = {"decoder": "harmonic", "decoder_options": {"channels": 8, "blocks": [1, 1], "n_fft": 960}}
RATE = 16000


def base(folder: Path, **changed: Any) -> Path:
    folder.mkdir()
    torch.manual_seed(0)
    WhisperUnits(WhisperUnitsConfig(hidden=32, layers=1, heads=2, ffn=48, positions=100, width=16)).save(
        folder / "content.safetensors"
    )
    Acoustic(AcousticConfig(**SIZES | changed)).save(folder / "acoustic.safetensors")
    Semantic(SemanticConfig(codes=CODES, hidden=16, heads=2, ffn=24, layers=1)).save(folder / "semantic.safetensors")
    Heard.count(torch.arange(CODES), torch.arange(CODES), CODES).save(folder / "heard.safetensors")
    return folder


@pytest.mark.parametrize("sizes", [BY_ANALYSIS, LEARNT | {"posterior": True}], ids=["by analysis", "learnt"])
def test_every_utterance_is_remade_in_every_way(sizes: dict[str, Any], tmp_path: Path) -> None:
    recording(tmp_path / "voices" / "y", ["Hi.", "No, no."], [[0, 1], [1.2, 2.7]])
    out = tmp_path / "out"
    folder = base(tmp_path / "base", **sizes)
    oracle.run(Namespace(recordings=tmp_path / "voices", listeners=[folder], out=out))
    sounds = {}
    for way in WAYS:
        rows = [json.loads(line) for line in (out / f"{way}.jsonl").read_text().splitlines()]
        assert [row["text"] for row in rows] == ["Hi.", "No, no."] and {row["lang"] for row in rows} == {"en"}
        assert all(Path(row["ref"]).is_file() for row in rows)
        sounds[way], rate = soundfile.read(rows[1]["wav"])
        assert rate == 24000 and np.isfinite(sounds[way]).all()
    assert len(sounds["real"]) == 1.5 * 24000
    assert len(sounds["real"]) - len(sounds["latent"]) in range(961)
    assert len(sounds["real"]) - len(sounds["tokens"]) in range(1920)
    shortest = min(map(len, sounds.values()))
    assert len({sound[:shortest].tobytes() for sound in sounds.values()}) == len(WAYS)


def test_a_base_without_any_latent_is_refused(tmp_path: Path) -> None:
    made = Base(base(tmp_path / "base", **LEARNT, posterior=False))
    with pytest.raises(UserError, match="no posterior encoder"):
        made.latent(Said("y", np.zeros(RATE, np.float32), (), (), "", "en"), torch.zeros(1, 12, 1))


def test_the_reference_is_another_utterance_of_the_speaker_of_a_good_length() -> None:
    def said(speaker: str, seconds: float) -> Said:
        return Said(speaker, np.zeros(int(seconds * RATE), np.float32), (), (), "", "en")

    short, good, late, other = said("a", 3), said("a", 5), said("a", 6), said("b", 5)
    assert reference([short, other, good, late], short) is good
    assert reference([short, other, good, late], good) is late
    assert reference([short, said("a", 2), good], good) is short
