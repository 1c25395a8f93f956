"""Parts by name: content encoders, decoders and s1; any of them trains, speaks, and comes back from its file."""

from __future__ import annotations

import copy
import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.voice.nets.small_parts import (
    CONTENT_SIZES,
    DECODER_SIZES,
    GREEDY,
    SEMANTIC_SIZES,
    content,
    item,
    semantic,
    tones,
)
from tests.voice.nets.test_acoustic import SMALL
from voice.bits import pack, unpack
from voice.errors import UserError
from voice.mel import linear_spectrogram
from voice.nets.acoustic import Acoustic
from voice.nets.content import CONTENT, load_content, make_content
from voice.nets.envelope import EnvelopeDecoder
from voice.nets.generator import DECODERS
from voice.nets.sampling import Sampling
from voice.nets.semantic_llama import SemanticLlamaConfig
from voice.nets.semantics import SEMANTIC, load_semantic, make_semantic
from voice.nets.stored import Stored
from voice.train.acoustic import AcousticTrainer, AcousticWeights, Utterance, utterance
from voice.train.latent import LatentTrainer, LatentWeights, spoken
from voice.train.semantic import Line, SemanticTrainer
from voice.weights import half


def test_every_name_is_tried_here() -> None:
    assert {name for name, _ in CONTENT_SIZES.values()} == set(CONTENT)
    assert set(DECODER_SIZES) == set(DECODERS) and set(SEMANTIC_SIZES) == set(SEMANTIC)


def test_only_the_code_of_the_part_that_is_made_is_imported() -> None:
    code = """
import sys
import voice.nets.content
from voice.nets.semantics import make_semantic
make_semantic("gpt", {"hidden": 16, "heads": 2, "layers": 1})
print(*sorted(name for name in sys.modules if name == "transformers" or name.startswith("voice.nets.")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    shared = ["content_frames", "decoding", "registry", "sampling", "stored"]
    assert done.stdout.split() == [
        f"voice.nets.{name}" for name in sorted(["content", "semantic", "semantics", *shared])
    ]


def acoustic_trainer(acoustic: Acoustic, items: list[Utterance]) -> AcousticTrainer | LatentTrainer:
    if not isinstance(acoustic.dec, EnvelopeDecoder):
        weights = AcousticWeights()
        return AcousticTrainer(
            acoustic, None, lambda n: items, items[:1], weights, lambda n: 3e-3, autocast=False, segment_frames=12
        )
    code = acoustic.dec.code
    values = torch.cat([code.analyse(item.wav[None], item.f0[None]) for item in items], dim=2)[0]
    code.mean.copy_(values.mean(1))
    code.spread.copy_(values.std(1).clamp(min=0.1))
    known = [spoken(item.wav, item.codes, item.phones, item.f0, acoustic.config.hop) for item in items]
    return LatentTrainer(acoustic, lambda n: known, known[:1], LatentWeights(), lambda n: 1e-2, autocast=False)


@pytest.mark.parametrize(
    ("encoder", "decoder", "s1"),
    [
        ("hubert", "harmonic", "gpt"),
        ("wavlm", "istft", "llama"),
        ("whisper", "hifigan", "gpt"),
        ("wavlm like large", "bigvgan", "llama"),
        ("whisper units", "envelope", "gpt"),
    ],
)
def test_any_parts_learn_and_speak_together(encoder: str, decoder: str, s1: str, tmp_path: Path) -> None:
    hears = content(encoder)
    acoustic = Acoustic(
        dataclasses.replace(SMALL, content=hears.dim, decoder=decoder, decoder_options=DECODER_SIZES[decoder])
    )
    with torch.no_grad():
        frames, _ = hears.features(torch.stack(tones(16000)))
        inner = acoustic.ssl_proj(frames.transpose(1, 2)).transpose(1, 2).flatten(0, 1)
        acoustic.quantiser.embed.copy_(inner[:: len(inner) // SMALL.codes][: SMALL.codes])
        tokens = acoustic.extract_latent(frames.transpose(1, 2))[:, 0]
    assert tokens.shape == (2, 20) and len(tokens.unique()) > 2
    phones = [torch.tensor([1, 2, 3, 4]), torch.tensor([5, 6, 7, 8])]

    lines = [Line(text, row) for text, row in zip(phones, tokens, strict=True)]
    speaks = semantic(s1)
    trainer = SemanticTrainer(speaks, lambda n: lines, lines, lambda n: 5e-3, autocast=False)
    before = trainer.validate()["loss"]
    for n in range(1, 31):
        trainer.step(n)
    assert trainer.validate()["loss"] < 0.5 * before

    c = acoustic.config
    items: list[Utterance] = [
        utterance(wav, row, text, c.sample_rate, c.hop)
        for wav, row, text in zip(tones(c.sample_rate), tokens, phones, strict=True)
    ]
    sounds = acoustic_trainer(acoustic, items)
    first = sounds.validate()["loss"]
    for n in range(1, 16):
        sounds.step(n)
    assert sounds.validate()["loss"] < 0.8 * first

    speaks.save(tmp_path / "semantic.safetensors")
    acoustic.save(tmp_path / "acoustic.safetensors")
    speaks = load_semantic(tmp_path / "semantic.safetensors")
    acoustic = Acoustic.load(tmp_path / "acoustic.safetensors")
    take = speaks.generate(phones[0], tokens[0, :4], GREEDY, torch.Generator().manual_seed(0), max_steps=40)
    assert take.stop == "eos" and take.tokens.tolist() == tokens[0, 4:].tolist()
    with torch.no_grad():
        ge = acoustic.reference(linear_spectrogram(items[0].wav[None], c.n_fft, c.hop, c.win))
    audio = acoustic.decode(take.tokens[None], phones[0][None], ge, 0.1, generator=torch.Generator().manual_seed(0))
    assert audio.shape == (1, 1, 2 * len(take.tokens) * c.hop)
    assert torch.isfinite(audio).all() and float(audio.std()) > 1e-3


def rounded(part: Any) -> Any:
    """A copy with weights as its file keeps them."""

    def kept(name: str, tensor: torch.Tensor) -> torch.Tensor:
        if part.by_rule and name.startswith(part.by_rule):
            return tensor
        few = [scheme for prefix, scheme in part.few_bits.items() if name.startswith(prefix)]
        if few and tensor.dim() > 1:
            return torch.from_numpy(unpack(pack(tensor.numpy(), few[0])))
        return half({name: tensor})[name].float()

    made = copy.deepcopy(part)
    made.load_state_dict({name: kept(name, tensor) for name, tensor in part.state_dict().items()})
    return made


def saved_twice(part: Stored, again: Stored, file: Path) -> bool:
    first = file.read_bytes()
    again.save(file)
    return type(again) is type(part) and again.config == part.config and file.read_bytes() == first


@pytest.mark.parametrize("case", CONTENT_SIZES)
def test_a_content_encoder_comes_back_from_its_file(case: str, tmp_path: Path) -> None:
    encoder, file, wav = content(case), tmp_path / "content.safetensors", 0.1 * torch.randn(1, 6400)
    encoder.save(file)
    again = load_content(file)
    with torch.no_grad():
        assert torch.equal(again.features(wav)[0], rounded(encoder).features(wav)[0])
        assert torch.allclose(again.features(wav)[0], encoder.features(wav)[0], atol=2e-2)
    assert not again.training and saved_twice(encoder, again, file)


@pytest.mark.parametrize("name", SEMANTIC_SIZES)
def test_s1_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    model, file, line = semantic(name, bert=6), tmp_path / "semantic.safetensors", item(7, 3, 1)
    model.save(file)
    again = load_semantic(file)
    takes = [
        part.generate(line.phones, line.tokens, Sampling(), torch.Generator().manual_seed(1), max_steps=30)
        for part in (again, rounded(model))
    ]
    assert takes[0].tokens.tolist() == takes[1].tokens.tolist()
    assert not again.training and saved_twice(model, again, file)


@pytest.mark.parametrize("name", DECODER_SIZES)
def test_a_decoder_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(SMALL, decoder=name, decoder_options=DECODER_SIZES[name])
    acoustic, file = Acoustic(config).eval(), tmp_path / "acoustic.safetensors"
    acoustic.save(file)
    again = Acoustic.load(file)
    inputs = (torch.randint(0, 20, (1, 5)), torch.randint(0, 40, (1, 4)), torch.randn(1, 12, 1), 0.0)
    assert torch.equal(again.decode(*inputs), rounded(acoustic).decode(*inputs))
    assert saved_twice(acoustic, again, file)


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="choose one of hubert, wavlm, whisper"):
        make_content("mfcc")
    with pytest.raises(ValueError, match="choose one of gpt, llama"):
        make_semantic("rnn")
    with pytest.raises(ValueError, match="gpt: no such settings: colour"):
        make_semantic("gpt", {"colour": 3})
    with pytest.raises(ValueError, match="gpt takes a SemanticConfig, not a SemanticLlamaConfig"):
        make_semantic("gpt", SemanticLlamaConfig(**SEMANTIC_SIZES["llama"]))


def test_files_of_other_networks_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "network.safetensors"
    with pytest.raises(UserError, match="no such weights file"):
        load_content(file)
    semantic("llama").save(file)
    with pytest.raises(UserError, match="holds semantic-llama, not content"):
        load_content(file)
    content("whisper").save(file)
    with pytest.raises(UserError, match="holds content-whisper, not semantic"):
        load_semantic(file)
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(UserError, match="not a readable safetensors file"):
        load_semantic(file)
