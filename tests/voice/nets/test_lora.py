"""Low-rank adapters: no change at first, few numbers, the merged network is the adapted one under the base's names."""

from __future__ import annotations

import dataclasses
import io
import math
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from tests.voice.nets.test_acoustic import SMALL
from voice.errors import UserError
from voice.nets.acoustic import Acoustic
from voice.nets.lora import LowRank, add_lora, load_lora, lora_state, merge_lora
from voice.nets.official import VERSIONS
from voice.nets.semantic import Semantic, SemanticConfig
from voice.train.acoustic import AcousticTrainer, AcousticWeights, Utterance
from voice.train.loop import train
from voice.train.semantic import Line, SemanticTrainer

TEXT_TO_TOKENS = SemanticConfig(phones=12, codes=12, hidden=64, heads=2, ffn=128, layers=2)
SOUND = dataclasses.replace(
    SMALL, decoder="hifigan", decoder_options={"channels": 16, "rates": [10, 8, 6], "kernels": [20, 16, 12]}
)
PARTS = ["enc_p", "flow", "dec"]


def semantic() -> Semantic:
    torch.manual_seed(0)
    return Semantic(TEXT_TO_TOKENS)


def acoustic() -> Acoustic:
    torch.manual_seed(0)
    return Acoustic(SOUND)


def lines() -> list[Line]:
    dice = torch.Generator().manual_seed(1)
    phones = [torch.randint(0, 12, (5,), generator=dice) for _ in range(6)]
    return [Line(row, row.repeat_interleave(2)) for row in phones]


def utterances() -> list[Utterance]:
    made = []
    for n in range(2):
        time = torch.arange(10 * 2 * SOUND.hop) / SOUND.sample_rate
        wav = 0.4 * torch.sin(2 * math.pi * 150 * (1 + n) * time)
        made.append(Utterance(wav, torch.full((10,), n), torch.tensor([n, 5]), torch.full((40,), 150.0 * (1 + n))))
    return made


def logits(model: Semantic) -> torch.Tensor:
    line = lines()[0]
    with torch.no_grad():
        return model.eval()(line.phones[None], torch.tensor([5]), line.tokens[None])[0]


def sound(model: Acoustic) -> torch.Tensor:
    item = utterances()[1]
    ge = 0.3 * torch.ones(1, SOUND.gin, 1)
    return model.eval().decode(item.codes[None], item.phones[None], ge, 0.0)


def described(model: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, tensor.shape) for name, tensor in model.state_dict().items()]


def stir(trained: list[nn.Parameter]) -> None:
    """Adapters as after a training: anywhere."""
    dice = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in trained:
            p.add_(0.2 * torch.randn(p.shape, generator=dice))


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.Linear(6, 4), torch.randn(2, 6)),
        (nn.Conv1d(6, 4, 3), torch.randn(2, 6, 9)),
        (nn.Conv1d(6, 6, 5, groups=6), torch.randn(2, 6, 9)),
        (nn.ConvTranspose1d(6, 4, 4, 2, bias=False), torch.randn(2, 6, 9)),
        (weight_norm(nn.Conv1d(6, 4, 3)), torch.randn(2, 6, 9)),
        (weight_norm(nn.ConvTranspose1d(6, 4, 4, 2)), torch.randn(2, 6, 9)),
    ],
    ids=["linear", "conv", "depthwise", "transposed", "normed", "normed-transposed"],
)
def test_every_kind_of_layer_is_adapted_and_merged(layer: nn.Module, x: torch.Tensor) -> None:
    model = nn.Sequential(layer)
    names, kind, start = described(model), type(layer), model(x)
    trained = add_lora(model, [""], rank=2, alpha=4.0)
    assert torch.equal(model(x), start)
    assert [p.requires_grad for p in model.parameters()].count(True) == len(trained) == 2
    stir(trained)
    adapted = model(x)
    assert (adapted - start).abs().max() > 0.05
    merge_lora(model)
    assert (model(x) - adapted).abs().max() < 1e-5
    assert described(model) == names and type(layer) is kind
    assert all(p.requires_grad for p in model.parameters())


def test_the_change_is_scale_times_up_times_down() -> None:
    layer = nn.Linear(6, 4)
    start = layer.weight.detach().clone()
    down, up = add_lora(nn.Sequential(layer), ["0"], rank=2, alpha=6.0)
    stir([down, up])
    assert torch.allclose(layer.weight, start + 3 * up @ down, atol=1e-6)
    assert torch.linalg.matrix_rank((layer.weight - start).detach()) == 2
    assert LowRank(torch.zeros(1, 8, 3), 5, 1.0).up.shape == (1, 1)  # no more than the layer has


def test_an_adapted_s1_starts_as_the_base_and_merges_into_its_names() -> None:
    base, model = semantic(), semantic()
    trained = add_lora(model, ["layers"], rank=4, seed=7)
    assert torch.equal(logits(model), logits(base))
    everything = sum(p.numel() for p in base.parameters())
    assert sum(p.numel() for p in trained) < 0.15 * everything
    adapted = {name for name, layer in model.named_modules() if isinstance(layer, LowRank)}
    kinds = {name.split(".parametrizations")[0].split(".")[-1] for name in adapted}
    assert kinds == {"in_proj", "out_proj", "linear1", "linear2"} and len(adapted) == 8
    stir(trained)
    wanted = logits(model)
    merge_lora(model)
    assert (logits(model) - wanted).abs().max() < 1e-5 < (wanted - logits(base)).abs().max()
    assert described(model) == described(base)


def test_an_adapted_s2_starts_as_the_base_and_merges_into_its_names() -> None:
    base, model = acoustic(), acoustic()
    base.requires_grad_(False)  # torch.matmul adds up in another order for a parameter that is frozen
    add_lora(model, PARTS, rank=2)
    assert torch.equal(sound(model), sound(base))
    merge_lora(model)
    assert (sound(model) - sound(base)).abs().max() < 1e-5
    stir(add_lora(model, PARTS, rank=2))
    wanted = sound(model)
    merge_lora(model)
    assert (sound(model) - wanted).abs().max() < 1e-5 < 1e-3 < (wanted - sound(base)).abs().max()
    assert described(model) == described(base)
    state = base.state_dict()
    assert all(
        torch.equal(t, state[name]) for name, t in model.state_dict().items() if not name.startswith(tuple(PARTS))
    )


def test_a_small_file_holds_the_adapters() -> None:
    model, other = acoustic(), acoustic()
    stir(add_lora(model, PARTS, rank=2, alpha=3.0))
    state = lora_state(model)
    assert lora_state(other) == {}
    assert set(state) < set(model.state_dict()) and all(".parametrizations.weight." in name for name in state)
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    trained = load_lora(other, torch.load(file, weights_only=True))
    assert len(trained) == 2 * len(state) / 3
    assert torch.equal(sound(other), sound(model))
    with pytest.raises(UserError, match="not of this network"):
        load_lora(semantic(), state)
    smaller = Acoustic(dataclasses.replace(SOUND, inter=6))
    with pytest.raises(UserError, match="of another size"):
        load_lora(smaller, {name: tensor for name, tensor in state.items() if name.startswith("dec.conv_pre")})
    with pytest.raises(ValueError, match="adapters already"):
        load_lora(other, state)


def test_the_seed_decides_where_adapters_start() -> None:
    first, again, other = (add_lora(semantic(), ["layers"], 2, seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match="'text_embedding'.*in layers, predict"):
        add_lora(semantic(), ["text_embedding"], 2)
    with pytest.raises(ValueError, match="at least 1"):
        add_lora(semantic(), ["layers"], 0)
    model = semantic()
    add_lora(model, ["predict"], 2)
    with pytest.raises(ValueError, match="adapters already"):
        add_lora(model, ["layers"], 2)


def test_s1_trains_adapters_through_the_loop(tmp_path: Path) -> None:
    items, model, base = lines(), semantic(), semantic()
    trainer = SemanticTrainer(
        model, lambda n: items, items[:2], lambda n: 5e-3, trainable=["layers"], lora_rank=4, autocast=False
    )
    history = train(trainer, 30, tmp_path, seed=1, save_every=10, validate_every=10)
    assert history.best_loss < 0.8 * history.base_loss
    frozen = {name for name, p in base.named_parameters() if not name.startswith("layers")}
    after = model.state_dict()
    assert all(torch.equal(after[name], base.state_dict()[name]) for name in frozen)
    resumed = SemanticTrainer(
        semantic(), lambda n: items, items[:2], lambda n: 5e-3, trainable=["layers"], lora_rank=4, autocast=False
    )
    assert train(resumed, 30, tmp_path, seed=1).best_step == history.best_step
    assert torch.equal(logits(resumed.model), logits(model))
    model.load_state_dict(history.best)
    assert trainer.validate()["loss"] == pytest.approx(history.best_loss, rel=1e-6)
    merge_lora(model)
    assert described(model) == described(base)
    assert trainer.validate()["loss"] == pytest.approx(history.best_loss, rel=1e-4)
    model.save(tmp_path / "s1.safetensors")
    assert (logits(Semantic.load(tmp_path / "s1.safetensors")) - logits(model)).abs().max() < 0.05  # half precision


def test_an_optimiser_of_relative_steps_cannot_move_what_starts_at_zero() -> None:
    with pytest.raises(UserError, match="adapters start at zero"):
        SemanticTrainer(semantic(), lambda n: [], [], lambda n: 0.01, lora_rank=4, optimiser="scaled_adam")


def test_s2_trains_adapters_through_the_loop(tmp_path: Path) -> None:
    items, model, base = utterances(), acoustic(), acoustic()
    trainer = AcousticTrainer(
        model, None, lambda n: items, items[:1], AcousticWeights(pitch=0), lambda n: 1e-2, trainable=PARTS,
        lora_rank=4, segment_frames=8, text_rate=0.4, autocast=False,
    )  # fmt: skip
    assert len(trainer.optimiser.param_groups) == 2
    few = sum(p.numel() for p in trainer.trained)
    assert few < 0.5 * sum(p.numel() for p in base.parameters())  # of a network that is tiny itself
    history = train(trainer, 30, tmp_path, seed=1, save_every=10, validate_every=10)
    assert history.best_loss < 0.9 * history.base_loss
    model.load_state_dict(history.best)
    wanted = sound(model)
    merge_lora(model)
    assert described(model) == described(base)
    assert (sound(model) - wanted).abs().max() < 1e-5
    model.save(tmp_path / "s2.safetensors")
    assert Acoustic.load(tmp_path / "s2.safetensors").config == model.config


def test_the_published_networks_have_few_adapter_numbers() -> None:
    model = Semantic(dataclasses.replace(VERSIONS["v2"].semantic, layers=1, phones=4, codes=4))
    per_layer = sum(p.numel() for p in add_lora(model, ["layers"], 32))
    assert per_layer == 32 * ((1536 + 512) + (512 + 512) + 2 * (2048 + 512))
    assert 24 * per_layer < 0.09 * 77_606_402
