"""A work folder from a finished base: tokens mean what they meant, and every training can go on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.voice.pretrain.tiny_corpus import linked, options
from voice.nets.acoustic import Acoustic
from voice.nets.content_frames import RATE
from voice.nets.semantic import Semantic
from voice.nets.whisper_units import WhisperUnits
from voice.pretrain import card, inherit, semantic, tokens
from voice.pretrain.card import FILES
from voice.pretrain.corpus import Corpus
from voice.pretrain.units import Frames
from voice.pretrain.warm import warm_start
from voice.train.loop import write_history
from voice.weights import load_tensors, save_tensors


@pytest.fixture(scope="module")
def base(tokenised: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished base with the encoder and the codes of the tokenised corpus."""
    folder = tmp_path_factory.mktemp("finished")
    torch.manual_seed(3)
    acoustic = Acoustic()
    warm_start(acoustic, tokenised / "quantiser.safetensors")
    acoustic.save(folder / "acoustic.safetensors")
    Semantic().save(folder / "semantic.safetensors")
    for name in ("content", "heard"):
        shutil.copyfile(tokenised / f"{name}.safetensors", folder / f"{name}.safetensors")
    shutil.copyfile(folder / "heard.safetensors", folder / "texture.safetensors")  # its content is not asked here
    measured = {name: {"steps": 7, "last": {"loss": 2.0}} for name in card.ALWAYS}
    (folder / "card.json").write_text(json.dumps({"training": measured}))
    return folder


@pytest.fixture(scope="module")
def work(base: Path, tokenised: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("inherited")
    inherit.run(options(tokenised, target, start=base))
    tokens.run(options(tokenised, target, start=base))
    return target


def test_frames_are_what_the_base_hears(work: Path, base: Path, tokenised: Path) -> None:
    corpus, encoder = Corpus(tokenised), WhisperUnits.load(base / "content.safetensors")
    found = Frames(work, corpus)
    for clip in corpus.clips[::7]:
        with torch.no_grad():
            wanted = encoder.frames(torch.from_numpy(corpus.wav(clip, RATE))[None])[0][0]
        assert torch.allclose(found.of(clip), wanted, atol=0.01 * float(wanted.abs().max()))


def test_tokens_are_codes_of_the_base(work: Path, base: Path, tokenised: Path) -> None:
    assert tokens.same_quantiser(work, base)
    model, corpus = Acoustic.load(base / "acoustic.safetensors"), Corpus(tokenised)
    encoder = WhisperUnits.load(base / "content.safetensors")
    for item in tokens.load(work, corpus)[::5]:
        with torch.no_grad():
            ssl, _ = encoder.features(torch.from_numpy(corpus.wav(item.clip, RATE))[None])
            made = model.extract_latent(ssl.transpose(1, 2))[0, 0]
        assert float((made == item.tokens).float().mean()) > 0.95  # two codes may be as near but for rounding


def test_the_decoder_goes_on_by_itself(work: Path, base: Path) -> None:
    own, theirs = (load_tensors(folder)[0] for folder in (work / "envelope.safetensors", base / "acoustic.safetensors"))
    names = [name for name in theirs if name.startswith("dec.")]
    assert names and all(torch.equal(own[name], theirs[name]) for name in names)


@pytest.mark.parametrize("same", [True, False])
def test_s1_goes_on_with_its_tokens_where_they_mean_the_same(
    same: bool, work: Path, base: Path, tokenised: Path, tmp_path: Path
) -> None:
    names = ("tokens.jsonl", "tokens.safetensors")
    folder = linked(work, tmp_path / "s1", *names, *(["quantiser.safetensors"] if same else []))
    if not same:
        inverted = {name: -tensor for name, tensor in load_tensors(work / "quantiser.safetensors")[0].items()}
        save_tensors(folder / "quantiser.safetensors", inverted)
    semantic.run(options(tokenised, folder, start=base, steps=1, rate=0.0, budget=120.0))
    own, theirs = (load_tensors(f / "semantic.safetensors")[0] for f in (folder, base))
    kept = {name for name in theirs if torch.equal(own[name], theirs[name])}
    assert any(name.startswith("layers") for name in kept)
    assert (kept == theirs.keys()) is same


def test_a_card_tells_of_parts_that_were_trained_before(work: Path, base: Path, tokenised: Path) -> None:
    write_history(work / "acoustic.loss.tsv", [{"step": 3, "loss": 1.0}])
    card.run(options(tokenised, work, start=base, out=work / "mini", first=None))
    told = json.loads((work / "mini/card.json").read_text(encoding="utf-8"))
    assert told["training"]["acoustic"]["steps"] == 3 and told["training"]["semantic"]["steps"] == 7
    assert told["files"].keys() == {f"{name}.safetensors" for name in FILES}
