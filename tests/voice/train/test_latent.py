"""Steps of s2 on latents that analysis gives: losses fall, pads count nothing, a stopped run goes on."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voice.errors import UserError
from voice.nets.acoustic import Acoustic, AcousticConfig
from voice.nets.envelope import EnvelopeDecoder
from voice.train.latent import WARM, LatentTrainer, LatentWeights, Spoken, spoken
from voice.train.loop import train

CONFIG = AcousticConfig(
    content=16, codes=6, phones=10, inter=24, hidden=16, filters=24, layers_ssl=1, layers_text=1, layers_joint=1,
    mrte=16, flow_layers=1, flows=2, gin=12, reference_hidden=16, dropout=0.0,
    decoder_options={"channels": 8, "blocks": 1, "n_fft": 960, "mels": 20},
)  # fmt: skip
TOKEN = 2 * CONFIG.hop  # samples


def utterance(tone: int, count: int, quiet: int = 1) -> Spoken:
    """A tone that its tokens and its phones tell, of `count` tokens, the last `quiet` of them silent."""
    codes = torch.full((count,), tone % CONFIG.codes)
    time = torch.arange(count * TOKEN) / CONFIG.sample_rate
    pitch = 100.0 + 40 * tone
    wav = sum(0.2 / n * torch.sin(2 * math.pi * n * pitch * time) for n in range(1, 6))
    assert isinstance(wav, torch.Tensor)
    f0 = torch.full((4 * count,), pitch)
    if quiet:
        wav[-quiet * TOKEN :], f0[-quiet * 4 :] = 0.0, 0.0
    place = torch.arange(count) * 3 // count
    return Spoken(wav, codes, torch.tensor([tone, 7, tone + 1]), f0, place)


def network(seed: int = 0) -> Acoustic:
    torch.manual_seed(seed)
    return Acoustic(CONFIG)


def trainer(items: list[Spoken], weights: LatentWeights | None = None, model: Acoustic | None = None) -> LatentTrainer:
    chosen = weights or LatentWeights(guide=1.0)
    return LatentTrainer(model or network(), lambda n: items, items, chosen, lambda n: 3e-3, autocast=False)


def test_losses_fall_and_only_what_is_trained_moves() -> None:
    made = trainer([utterance(tone, 12) for tone in range(4)])
    before, kept = made.validate(), {name: t.clone() for name, t in made.model.state_dict().items()}
    logs = [made.step(n) for n in range(1, 41)]
    after = made.validate()
    assert after["loss"] < 0.8 * before["loss"] and after["kl"] < before["kl"]
    assert logs[-1]["loss"] < 0.8 * logs[0]["loss"] and logs[-1]["guide"] < logs[0]["guide"]
    moved = {name.split(".")[0] for name, t in made.model.state_dict().items() if not torch.equal(t, kept[name])}
    assert moved == {"enc_p", "flow", "ref_enc"}


def test_a_step_weighs_its_losses() -> None:
    row = trainer([utterance(1, 9)], LatentWeights(kl=0.5, prior=3.0, guide=0.25)).step(1)
    assert row["loss"] == pytest.approx(0.5 * row["kl"] + 3.0 * row["prior"] + 0.25 * row["guide"], rel=1e-5)
    assert trainer([utterance(1, 9)], LatentWeights()).step(1)["guide"] == 0


def found(items: list[Spoken]) -> dict[str, float]:
    """Losses of items together, by a network that drops nothing out; alone or not, noise is left out."""
    made = trainer(items)
    made.model.eval()
    with torch.no_grad():
        return {name: float(value) for name, value in made._found(items)[0].items()}


def judged() -> LatentTrainer:
    return trainer([utterance(tone, 9) for tone in range(3)], LatentWeights(adversarial=0.5, feature=1.0))


def test_a_judge_of_texture_is_taught_along_and_comes_to_count() -> None:
    made = judged()
    before = {name: t.clone() for name, t in made.judge.state_dict().items()}
    rows = [made.step(n) for n in (1, WARM)]
    for row, share in zip(rows, (1 / WARM, 1.0), strict=True):
        own = row["kl"] + 2 * row["prior"]
        assert row["loss"] == pytest.approx(own + share * (0.5 * row["adversarial"] + row["feature"]), rel=1e-5)
    assert all(not torch.equal(t, before[name]) for name, t in made.judge.state_dict().items())
    assert not hasattr(trainer([utterance(1, 9)]), "judge")


def test_its_own_lessons_do_not_move_the_network() -> None:
    made = judged()
    terms, drawn = made._found(made.batch(1))
    said = made._judged(drawn)
    assert all(parameter.grad is None for parameter in made.model.parameters())
    said["feature"].backward()
    assert any(parameter.grad is not None for parameter in made.model.parameters())
    assert set(terms) == {"kl", "prior", "guide"}


@pytest.mark.parametrize("sizes", [(5, 11), (9, 4), (6, 6)])
def test_pads_do_not_change_what_an_item_costs(sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Together they cost the mean of each alone, weighed by length.

    They end in silence, as pads are: the last frames of a spectrum see past the end, where a clip alone is mirrored.
    References are of one length: the convolutions of the published reference encoder see what pads become.
    """
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    heard = utterance(2, 7).wav
    first, second = (dataclasses.replace(utterance(3 * n, size), other=heard) for n, size in enumerate(sizes))
    alone, together = (found([first]), found([second])), found([first, second])
    for name in ("kl", "prior"):
        expected = sum(size * one[name] for size, one in zip(sizes, alone, strict=True)) / sum(sizes)
        assert together[name] == pytest.approx(expected, rel=1e-4)


def test_another_clip_of_the_speaker_is_heard_in_place_of_the_own() -> None:
    own = utterance(2, 8)
    same = dataclasses.replace(own, other=own.wav)
    other = dataclasses.replace(own, other=utterance(0, 5).wav)
    torch.manual_seed(0)
    costs = []
    for item in (own, same, other):
        torch.manual_seed(0)
        costs.append(found([item])["prior"])
    assert costs[0] == costs[1] != costs[2]


@pytest.mark.parametrize("feature", [0.0, 1.0])
def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path, feature: float) -> None:
    items = [utterance(tone, 6) for tone in range(3)]
    states = []
    for name, minutes in (("whole", [None]), ("parts", [0.0, None])):  # 0 minutes: one step
        for limit in minutes:
            made = trainer(items, LatentWeights(guide=1.0, feature=feature))
            train(made, 3, tmp_path / name, seed=1, minutes=limit)
        states.append(made.model.state_dict())
    assert all(torch.equal(states[0][name], tensor) for name, tensor in states[1].items())


def test_a_check_leaves_the_dice_alone_and_gives_the_same_twice() -> None:
    made = trainer([utterance(1, 6)])
    torch.manual_seed(5)
    first, state = made.validate(), torch.random.get_rng_state()
    torch.manual_seed(5)
    assert torch.equal(state, torch.random.get_rng_state()) and made.validate() == first
    assert LatentTrainer(network(), lambda n: [], [], LatentWeights(), lambda n: 0.0).validate() == {}


def test_pitch_and_voicing_weigh_beside_the_cepstra() -> None:
    made = trainer([utterance(1, 6)])
    assert isinstance(made.model.dec, EnvelopeDecoder)
    width = made.model.dec.code.width
    rows = made.importance[:, 0].view(2, width)
    assert torch.equal(rows[0], rows[1]) and rows[0, -2:].tolist() == [3.0, 2.0]
    assert float(rows[0, :-2].mean()) == pytest.approx(1.0)


def test_a_network_whose_latents_must_be_learnt_is_refused() -> None:
    harmonic = dataclasses.replace(
        CONFIG, decoder="harmonic", posterior=True, decoder_options={"channels": 8, "blocks": [1, 1], "n_fft": 960}
    )
    with pytest.raises(UserError, match="no latents by analysis"):
        trainer([], model=Acoustic(harmonic))


@given(st.integers(1, 6), st.integers(-700, 700), st.integers(-3, 3))
def test_sound_and_pitch_are_brought_to_the_length_of_the_tokens(count: int, more: int, frames: int) -> None:
    wav, f0 = torch.ones(count * TOKEN + more), torch.ones(4 * count + frames)
    made = spoken(wav, torch.zeros(count).long(), torch.tensor([1]), f0, CONFIG.hop)
    assert len(made.wav) == count * TOKEN and len(made.f0) == 4 * count
    assert int(made.wav.sum()) == min(len(wav), count * TOKEN) and int(made.f0.sum()) == min(len(f0), 4 * count)


def test_wrong_tokens_are_seen_in_training_alone() -> None:
    items = [utterance(tone, 12) for tone in range(4)]
    made = LatentTrainer(network(), lambda n: items, items, LatentWeights(), lambda n: 0.0, corrupt=0.5, autocast=False)
    plain = trainer(items, LatentWeights())
    assert made.validate() == plain.validate()
    seen: list[torch.Tensor] = []
    original = made.model.expand
    made.model.expand = lambda codes: seen.append(codes) or original(codes)  # type: ignore[method-assign,func-returns-value]
    made.step(1)
    true = torch.stack([item.codes for item in items])
    assert seen[0].shape == true.shape and not torch.equal(seen[0], true)
