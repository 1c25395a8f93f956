"""A voice without training: tiny random networks with a known seed, whose takes end by themselves or never."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from voice.audio import read_audio, write_flac
from voice.nets.acoustic import Acoustic
from voice.nets.semantic import Semantic, SemanticConfig

BASE = Path("models/pretrained/mini")
CODES = 32
CURVE = "step\tloss\tvalid_loss\n0\t\t{base}\n10\t4.5\t{tuned}\n20\t4.1\t{later}\n"


def semantic(seed: int, *, ends: bool) -> Semantic:
    """An s1 of a few thousand weights: the end is always likely, or always the least likely choice."""
    torch.manual_seed(seed)
    model = Semantic(SemanticConfig(codes=CODES, hidden=16, heads=2, ffn=16, layers=1, dropout=0.0))
    with torch.no_grad():
        # A constant first channel after the last norm, read by the row of the end alone.
        norm = model.layers[0].norm2
        norm.weight[0], norm.bias[0] = 0.0, 1.0
        model.predict.weight[:, 0] = 0.0
        model.predict.weight[CODES] = 0.0
        model.predict.weight[CODES, 0] = 0.6 if ends else -50.0
    return model


def make_voice(folder: Path, *, ends: bool = True) -> None:
    """Write base s1 and all files of models/demo_en (as after training) into the current folder, a project's root."""
    semantic(1, ends=ends).save(BASE / "semantic.safetensors")
    semantic(2, ends=ends).save(folder / "semantic.safetensors", {"chosen": {"step": 10}})
    tuned = Acoustic.load(BASE / "acoustic.safetensors")
    with torch.no_grad():
        tuned.dec.head.weight.mul_(1.1)
    tuned.save(folder / "acoustic.safetensors", {"chosen": {"step": 20}})
    wave, rate = read_audio(Path("data/raw/demo_en/recording.flac"))
    write_flac(folder / "reference.flac", wave[: 3 * rate], rate)
    about = {"text": "The harbour was quiet.", "lang": "en", "seconds": 3.0, "segment": "s"}
    (folder / "reference.json").write_text(json.dumps(about), encoding="utf-8")
    lexicon = Path("data/demo_en/lexicon.json")  # as align would leave it
    lexicon.parent.mkdir(parents=True, exist_ok=True)
    lexicon.write_text("{}", encoding="utf-8")
    (folder / "semantic.loss.tsv").write_text(CURVE.format(base=5.5, tuned=4.75, later=5.0))
    (folder / "acoustic.loss.tsv").write_text(CURVE.format(base=1.5, tuned=1.25, later=1.125))
