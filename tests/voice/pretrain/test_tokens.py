"""Tokens of a tiny corpus tell the unit, and are those that s2 makes of the same frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tests.voice.pretrain.tiny_corpus import UNITS, options
from voice.nets.acoustic import Acoustic
from voice.nets.whisper_units import WhisperUnits
from voice.pretrain import tokens
from voice.pretrain.corpus import Corpus
from voice.pretrain.units import Frames
from voice.pretrain.warm import warm_start
from voice.takes import Heard
from voice.weights import load_tensors


def test_a_token_tells_the_unit_that_is_spoken(tokenised: Path) -> None:
    corpus, heard = Corpus(tokenised), Heard.load(tokenised / "heard.safetensors")
    labels, _ = load_tensors(tokenised / "frames.safetensors")
    found = tokens.load(tokenised, corpus)
    assert [item.clip.name for item in found] == [clip.name for clip in corpus.clips]
    told = torch.cat([heard.table[item.tokens].argmax(-1) for item in found])
    truth = labels["unit"].long()[1::2]
    assert len(told) == len(truth) and float((told == truth).float().mean()) > 0.9


def test_the_place_in_the_text_is_known_at_every_token(tokenised: Path) -> None:
    for item in tokens.load(tokenised, Corpus(tokenised)):
        assert len(item.spoken) == len(item.tokens) == 40
        assert (item.spoken.diff() >= 0).all() and set(item.spoken.tolist()) <= set(range(len(item.clip.phones)))
        wanted = np.arange(40) * 2 * len(UNITS) // 40
        assert np.abs(item.spoken.numpy() - wanted).max() <= 1


def test_s2_makes_the_same_tokens_of_the_same_frames(tokenised: Path) -> None:
    model, corpus = Acoustic(), Corpus(tokenised)
    assert warm_start(model, tokenised / "quantiser.safetensors") == 3
    head = WhisperUnits.load(tokenised / "content.safetensors").head
    for item in tokens.load(tokenised, corpus)[::5]:
        with torch.no_grad():
            ssl = head(Frames(tokenised, corpus).of(item.clip)[None])[0].softmax(-1).sqrt()
        made = model.extract_latent(ssl.transpose(1, 2))[0, 0]
        assert float((made == item.tokens).float().mean()) > 0.95  # two codes may be as near but for rounding


def test_the_same_seed_gives_the_same_files(tokenised: Path, tmp_path: Path) -> None:
    for name in ("content.safetensors", "units.f16"):
        (tmp_path / name).symlink_to(tokenised / name)
    tokens.run(options(tokenised, tmp_path, budget=10.0))
    for name in ("quantiser.safetensors", "tokens.safetensors", "heard.safetensors", "tokens.jsonl"):
        assert (tmp_path / name).read_bytes() == (tokenised / name).read_bytes()
