"""Fine-tuning steps lower the losses they claim to lower, on a task small enough to learn in seconds."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from tests.voice.nets.test_acoustic import SMALL
from voice.nets.acoustic import Acoustic
from voice.nets.discriminator import Discriminator, DiscriminatorConfig
from voice.nets.semantic import Semantic, SemanticConfig
from voice.train.acoustic import AcousticTrainer, AcousticWeights, Utterance, utterance
from voice.train.guide import IGNORE, guide_loss
from voice.train.semantic import Line, SemanticTrainer, token_loss

SEMANTIC = SemanticConfig(phones=12, codes=12, hidden=32, heads=2, ffn=64, layers=2, dropout=0.0)


def test_s1_learns_to_spell_phones_out_in_tokens() -> None:
    torch.manual_seed(0)
    model = Semantic(SEMANTIC)
    lines = []
    for _ in range(12):
        phones = torch.randint(0, 12, (5,))
        lines.append(Line(phones, phones.repeat_interleave(2), torch.arange(5).repeat_interleave(2)))
    trainer = SemanticTrainer(
        model, lambda n: lines, lines[:3], lambda n: 3e-3, guide=1.0, guided_layers=(0, 1), autocast=False
    )
    before = trainer.validate()["loss"]
    logs = [trainer.step(n) for n in range(1, 61)]
    assert trainer.validate()["loss"] < 0.5 * before
    assert logs[-1]["guide"] < 0.7 * logs[0]["guide"]


def test_pads_and_what_follows_eos_count_nothing() -> None:
    logits = torch.randn(1, 5, 4)
    tokens = torch.tensor([[1, 2, 0, 0]])
    short = token_loss(logits[:, :3], tokens[:, :2], torch.tensor([2]), eos=3)
    assert float(token_loss(logits, tokens, torch.tensor([2]), eos=3)) == pytest.approx(float(short), rel=1e-6)


def test_guide_loss_is_low_on_the_spoken_phone_and_blind_to_unknown_places() -> None:
    attention = torch.zeros(1, 2, 6)
    attention[0, 0, 2] = attention[0, 1, 5] = 1.0
    assert float(guide_loss(attention, torch.tensor([[2, IGNORE]]))) == pytest.approx(0, abs=1e-4)
    assert float(guide_loss(attention, torch.tensor([[2, 0]]))) > 3


def utterances(count: int) -> list[Utterance]:
    """Tones in breath, whose pitch is told by their tokens."""
    breath = torch.Generator().manual_seed(1)
    made = []
    for n in range(count):
        codes = torch.full((20,), n % 4)
        time = torch.arange(20 * 2 * SMALL.hop) / SMALL.sample_rate
        tone = 0.4 * torch.sin(2 * math.pi * 100 * (1 + n % 4) * time)
        tone = tone + 0.02 * torch.randn(tone.shape, generator=breath)
        made.append(utterance(tone, codes, torch.tensor([n % 4, 5]), SMALL.sample_rate, SMALL.hop))
    return made


@pytest.mark.parametrize("decoder", ["istft", "harmonic"])
def test_s2_learns_tones_and_the_discriminator_takes_part(decoder: str) -> None:
    torch.manual_seed(0)
    judge = Discriminator(DiscriminatorConfig(periods=(2, 3), period_widths=(4, 8), scale_layers=((4, 15, 1, 1),)))
    first = judge.discriminators[0].conv_post.bias.clone()
    items, config = utterances(4), dataclasses.replace(SMALL, decoder=decoder)
    trainer = AcousticTrainer(
        Acoustic(config), judge, lambda n: items, items[:2], AcousticWeights(), lambda n: 2e-3, autocast=False,
        segment_frames=16, adversarial_from=20,
    )  # fmt: skip
    before = trainer.validate()["loss"]
    logs = [trainer.step(n) for n in range(1, 26)]
    assert trainer.validate()["loss"] < 0.8 * before
    assert "adversarial" not in logs[0] and logs[-1]["discriminator"] > 0
    assert not torch.equal(first, judge.discriminators[0].conv_post.bias)


def test_frozen_parts_stay_as_they_were() -> None:
    torch.manual_seed(0)
    model = Acoustic(SMALL)
    before = {name: p.clone() for name, p in model.named_parameters()}
    items = utterances(2)
    trainer = AcousticTrainer(
        model, None, lambda n: items, items[:1], AcousticWeights(), lambda n: 1e-3, trainable=["dec"], autocast=False
    )
    trainer.step(1)
    moved = {name.split(".")[0] for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"dec"}


@pytest.mark.parametrize("size", [9000, 9600, 10000])
def test_audio_is_cut_or_filled_to_its_tokens(size: int) -> None:
    made = utterance(torch.ones(size), torch.zeros(10, dtype=torch.long), torch.tensor([1]), 24000, 480)
    assert len(made.wav) == 9600 and len(made.codes) == 10 and len(made.f0) == 40
    assert float(made.wav.sum()) == min(size, 9600)


def test_mrte_learns_to_look_at_the_spoken_phone() -> None:
    torch.manual_seed(0)
    items = [dataclasses.replace(item, spoken=torch.full((20,), n % 2)) for n, item in enumerate(utterances(4))]
    trainer = AcousticTrainer(
        Acoustic(SMALL), None, lambda n: items, [], AcousticWeights(mel=0, prior=0, kl=0, pitch=0, guide=1.0),
        lambda n: 3e-3, autocast=False, segment_frames=8,
    )  # fmt: skip
    far = [dataclasses.replace(item, phones=torch.tensor([1, 2, 3, 4, 5, 6, 7])) for item in items]
    trainer.batch = lambda n: far
    logs = [trainer.step(n)["guide"] for n in range(1, 41)]
    assert logs[-1] < 0.5 * logs[0]


def test_corrupted_tokens_are_seen_but_never_predicted() -> None:
    torch.manual_seed(0)
    model = Semantic(SEMANTIC)
    trainer = SemanticTrainer(model, lambda n: [], [], lambda n: 1e-3, corrupt=0.5, autocast=False)
    line = Line(torch.tensor([1, 2]), torch.tensor([3, 4, 5]))
    model.train()
    noisy = [float(trainer._losses([line])[0]) for _ in range(30)]
    model.eval()
    clean = {float(trainer._losses([line])[0]) for _ in range(3)}
    assert len(set(noisy)) > 5 and len(clean) == 1


def test_s2_sees_wrong_tokens_in_training_alone() -> None:
    torch.manual_seed(0)
    model, items = Acoustic(SMALL), utterances(2)
    trainer = AcousticTrainer(
        model, None, lambda n: items, items, AcousticWeights(), lambda n: 0.0, corrupt=1.0, segment_frames=8,
        autocast=False,
    )  # fmt: skip
    seen: list[torch.Tensor] = []
    expand = model.expand
    model.expand = lambda codes: seen.append(codes) or expand(codes)  # type: ignore[method-assign,func-returns-value]
    trainer.step(1)
    trainer.validate()
    true = [item.codes for item in items]
    assert not torch.equal(seen[0], torch.stack(true))
    assert all(torch.equal(row[0], codes) for row, codes in zip(seen[1:], true, strict=True))
