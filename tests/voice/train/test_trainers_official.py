"""The trainers' options for the published networks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.voice.nets.test_acoustic import SMALL
from voice.mel import linear_spectrogram, log_mel, mel_from_linear
from voice.nets.acoustic import Acoustic, AcousticConfig
from voice.nets.discriminator import Discriminator, DiscriminatorConfig
from voice.nets.semantic import Semantic, SemanticConfig
from voice.train.acoustic import AcousticTrainer, AcousticWeights, Utterance
from voice.train.acoustic_parts import rate_groups
from voice.train.scaled_adam import ScaledAdam
from voice.train.schedule import exponential, warm_cosine
from voice.train.semantic import Line, SemanticTrainer

TEXT_TO_TOKENS = SemanticConfig(phones=12, codes=12, hidden=32, heads=2, ffn=64, layers=2)
WITH_BERT = dataclasses.replace(TEXT_TO_TOKENS, bert=6)
SOUND = dataclasses.replace(SMALL, decoder="istft")
PUBLISHED = AcousticWeights(mel=45, kl=1, prior=0, adversarial=1, feature=1, pitch=0)


def semantic(config: SemanticConfig = TEXT_TO_TOKENS) -> Semantic:
    torch.manual_seed(0)
    return Semantic(config)


def acoustic(config: AcousticConfig = SOUND) -> Acoustic:
    torch.manual_seed(0)
    return Acoustic(config)


def judge() -> Discriminator:
    torch.manual_seed(1)
    return Discriminator(DiscriminatorConfig(periods=(2, 3), period_widths=(4, 8), scale_layers=((4, 15, 1, 1),)))


def lines(count: int = 4, bert: int = 0) -> list[Line]:
    """Lines of unequal length whose tokens spell their phones; every second one has BERT features."""
    dice = torch.Generator().manual_seed(2)
    made = []
    for n in range(count):
        phones = torch.randint(0, 12, (3 + n,), generator=dice)
        features = torch.randn(len(phones), bert, generator=dice) if bert and n % 2 == 0 else None
        made.append(Line(phones, phones.repeat_interleave(2), torch.arange(len(phones)).repeat_interleave(2), features))
    return made


def utterances(count: int = 2, speaker: int = 0) -> list[Utterance]:
    """Tones of unequal length in breath."""
    dice = torch.Generator().manual_seed(3)
    made = []
    for n in range(count):
        codes = torch.full((10 + 2 * n,), n)
        time = torch.arange(len(codes) * 2 * SOUND.hop) / SOUND.sample_rate
        wav = 0.4 * torch.sin(2 * math.pi * 120 * (1 + n) * time) + 0.02 * torch.randn(time.shape, generator=dice)
        f0 = torch.full((4 * len(codes),), 120.0 * (1 + n))
        embedding = torch.randn(speaker, generator=dice) if speaker else None
        made.append(Utterance(wav, codes, torch.tensor([n, 5, 6]), f0, speaker=embedding))
    return made


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_the_published_objective_leaves_the_first_token_alone() -> None:
    items = lines()
    trainers = [
        SemanticTrainer(semantic(), lambda n: items, items, lambda n: 1e-3, objective=name, autocast=False)
        for name in ("all", "published")  # type: ignore[arg-type]
    ]
    full, late = trainers[0]._losses(items), trainers[1]._losses(items)
    assert full.asked - late.asked == len(items)
    first = 0.0
    for item in items:
        logits, _ = trainers[0].model(item.phones[None], torch.tensor([len(item.phones)]), item.tokens[None])
        first += F.cross_entropy(logits[:, 0], item.tokens[:1]).item()
    assert full.loss.item() - late.loss.item() == pytest.approx(first, rel=1e-4)
    wanted = late.loss.item() / late.asked
    assert trainers[1].validate()["loss"] == pytest.approx(wanted, rel=1e-5)
    assert trainers[1].step(1)["loss"] == pytest.approx(wanted, rel=1e-5)


def test_gathered_batches_make_the_step_of_one_large_batch() -> None:
    items, asked = lines(6), []

    def batch(number: int) -> list[Line]:
        asked.append(number)
        return items[2 * (number - 1) : 2 * number]

    gathered = SemanticTrainer(semantic(), batch, [], lambda n: 1e-3, accumulate=3, autocast=False)
    whole = SemanticTrainer(semantic(), lambda n: items, [], lambda n: 1e-3, autocast=False)
    one, other = gathered.step(1), whole.step(1)
    assert asked == [1, 2, 3] and one["loss"] == pytest.approx(other["loss"], rel=1e-5)
    for mine, theirs in zip(gathered.trained, whole.trained, strict=True):
        assert mine.grad is not None and theirs.grad is not None
        assert torch.allclose(mine.grad, theirs.grad, atol=1e-6)
    asked.clear()
    gathered.batch = lambda n: batch(n - 9)
    gathered.step(4)
    assert asked == [1, 2, 3]  # of batches 10 to 12


@pytest.mark.parametrize("preference", [0.0, 0.2])
def test_s1_learns_with_the_published_recipe(preference: float) -> None:
    items = lines(6, bert=6)
    trainer = SemanticTrainer(
        semantic(WITH_BERT), lambda n: items, items[:2], lambda n: 0.03, objective="published",
        optimiser="scaled_adam", accumulate=2, preference=preference, autocast=False,
    )  # fmt: skip
    assert isinstance(trainer.optimiser, ScaledAdam)
    before = trainer.validate()["loss"]
    for number in range(1, 31):
        trainer.step(number)
    assert trainer.validate()["loss"] < 0.7 * before
    again = SemanticTrainer(semantic(WITH_BERT), lambda n: items, items[:2], lambda n: 0.03, optimiser="scaled_adam")
    again.load_state(trainer.state())
    assert same(again.model, trainer.model)


def test_bert_features_reach_the_network_line_by_line() -> None:
    items = lines(4, bert=6)
    model = semantic(WITH_BERT)
    trainer = SemanticTrainer(model, lambda n: items, [], lambda n: 1e-3, autocast=False)
    together = trainer._losses(items).loss.item()
    assert together == pytest.approx(sum(trainer._losses([item]).loss.item() for item in items), rel=1e-5)
    bare = [dataclasses.replace(item, bert=None) for item in items]
    zeros = [dataclasses.replace(item, bert=torch.zeros(len(item.phones), 6)) for item in items]
    assert trainer._losses(bare).loss.item() == pytest.approx(trainer._losses(zeros).loss.item(), rel=1e-6)
    assert together != pytest.approx(trainer._losses(bare).loss.item(), rel=1e-4)
    trainer.step(1)
    assert model.bert_proj is not None and model.bert_proj.weight.grad is not None
    assert model.bert_proj.weight.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="BERT features"):
        trainer._losses([dataclasses.replace(items[0], bert=torch.zeros(2, 6))])


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(ValueError, match="'sgd'"):
        SemanticTrainer(semantic(), lambda n: [], [], lambda n: 0.0, optimiser="sgd")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'linear'"):
        AcousticTrainer(acoustic(), None, lambda n: [], [], PUBLISHED, lambda n: 0.0, mel="linear")  # type: ignore[arg-type]


def test_the_rate_falls_by_epochs() -> None:
    assert [exponential(n, 3, 0.5) for n in (1, 3, 4, 6, 7)] == [1, 1, 0.5, 0.5, 0.25]
    assert exponential(8 * 100, 100) == pytest.approx(0.999875**7)


@pytest.mark.parametrize(
    ("rate", "wanted"),
    [
        (lambda n: 1e-3 * exponential(n, 2, 0.5), [1e-3, 1e-3, 5e-4, 5e-4]),
        (lambda n: 1e-3 * warm_cosine(n, 4, warm=2, floor=0.0), [5e-4, 1e-3, 5e-4, 0.0]),
    ],
)
def test_the_rate_moves_in_the_optimisers(rate: Callable[[int], float], wanted: list[float]) -> None:
    items, sounds = lines(2), utterances()
    found: dict[str, list[float]] = {}
    trainers = {
        name: SemanticTrainer(semantic(), lambda n: items, [], rate, optimiser=name, autocast=False)
        for name in ("adamw", "scaled_adam")  # type: ignore[arg-type]
    }
    sound = AcousticTrainer(
        acoustic(), judge(), lambda n: sounds, [], PUBLISHED, rate, segment_frames=8, text_rate=0.4, autocast=False
    )
    assert sound.judge is not None
    for number in range(1, 5):
        sound.step(number)
        groups = {"sound": sound.optimiser.param_groups[0], "judge": sound.judge.param_groups[0]}
        groups["text"] = sound.optimiser.param_groups[1]
        for name, trainer in trainers.items():
            trainer.step(number)
            groups[name] = trainer.optimiser.param_groups[0]
        for name, group in groups.items():
            found.setdefault(name, []).append(group["lr"])
    for name in ("adamw", "scaled_adam", "sound", "judge"):
        assert found[name] == pytest.approx(wanted)
    assert found["text"] == pytest.approx([0.4 * value for value in wanted])


def test_the_text_side_of_s2_moves_slower() -> None:
    items, model = utterances(), acoustic()
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    trainer = AcousticTrainer(
        model, None, lambda n: items, [], AcousticWeights(), lambda n: 1e-3, segment_frames=8, text_rate=0.4,
        autocast=False,
    )  # fmt: skip
    trainer.step(1)
    assert [group["factor"] for group in trainer.optimiser.param_groups] == [1.0, 0.4]
    # The first step of Adam is the rate itself, whatever the gradient; the rest is weight decay.
    for name, p in model.named_parameters():
        moved = (p - start[name]).abs().median().item()
        if p.dim() > 1 and name.startswith(("enc_p.encoder_text", "enc_p.mrte.c_")):
            assert 3e-4 < moved < 5e-4, name
        elif p.dim() > 1 and name.startswith(("enc_p.encoder2.attn_layers.0.conv_v", "enc_p.mrte.condition", "dec.up")):
            assert 8e-4 < moved < 1.2e-3, name
    assert len(rate_groups(acoustic(), 1.0)) == 1
    model.requires_grad_(False)
    model.dec.requires_grad_(True)
    assert [group["factor"] for group in rate_groups(model, 0.4)] == [1.0]


def test_s2_trains_with_speaker_embeddings() -> None:
    items, model = utterances(2, speaker=9), acoustic(dataclasses.replace(SOUND, speaker=9))
    before = model.speaker_proj.weight.detach().clone()
    trainer = AcousticTrainer(
        model, None, lambda n: items, items, PUBLISHED, lambda n: 1e-3, segment_frames=8, autocast=False
    )
    trainer.step(1)
    assert not torch.equal(model.speaker_proj.weight, before)
    assert trainer.validate()["loss"] > 0
    trainer.batch = lambda n: [items[0], dataclasses.replace(items[1], speaker=None)]
    with pytest.raises(ValueError, match="1 of 2 utterances lack a speaker embedding"):
        trainer.step(2)
    trainer.batch = lambda n: utterances()
    with pytest.raises(ValueError, match="speaker embedding"):
        trainer.step(2)


def test_the_published_mel_is_that_of_the_networks_own_frames() -> None:
    items, c = utterances(1), SOUND
    trainer = AcousticTrainer(
        acoustic(), None, lambda n: items, [], PUBLISHED, lambda n: 1e-3, segment_frames=8, mel="published",
        autocast=False,
    )  # fmt: skip
    torch.manual_seed(4)
    made = trainer._forward(items)
    start = next(s for s in range(13) if torch.equal(items[0].wav[s * c.hop : (s + 8) * c.hop], made.real[0, 0]))
    whole = mel_from_linear(linear_spectrogram(items[0].wav[None], c.n_fft, c.hop, c.win), c.sample_rate, c.mels)
    fake = log_mel(made.audio[:, 0], c.sample_rate, c.n_fft, c.hop, c.win, c.mels)
    wanted = (fake - whole[:, :, start : start + 8]).abs().mean().item()
    assert made.terms["mel"].item() == pytest.approx(wanted, rel=1e-6)


def test_without_prior_loss_only_the_posterior_is_decoded() -> None:
    items, sizes = utterances(), []
    model = acoustic()
    model.dec.register_forward_hook(lambda module, given, out: sizes.append(len(out)))
    trainer = AcousticTrainer(
        model, judge(), lambda n: items, [], PUBLISHED, lambda n: 2e-3, segment_frames=8, text_rate=0.4,
        mel="published", autocast=False,
    )  # fmt: skip
    torch.manual_seed(5)
    logs = [trainer.step(n) for n in range(1, 31)]
    assert set(sizes) == {2} and "mel_prior" not in logs[0] and "guide" not in logs[0]
    assert logs[-1]["mel"] < 0.8 * logs[0]["mel"]
    assert all(math.isfinite(value) for row in logs for value in row.values())
