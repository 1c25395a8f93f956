"""First phase of s2 on a tiny corpus: the decoder learns, a stopped run goes on, the latent is fitted."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.voice.pretrain.tiny_corpus import SPEAKERS, options, write_corpus
from voice.nets.acoustic import Acoustic
from voice.nets.envelope import EnvelopeDecoder
from voice.pretrain import envelope, pitch
from voice.pretrain.envelope import BUDGET_S, SECONDS, EnvelopeTrainer
from voice.pretrain.pitch import HOP, RATE


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_corpus(tmp_path_factory.mktemp("work"), 1.6, times=2, speakers=SPEAKERS[:3])
    pitch.run(options(folder, folder))
    return folder


def decoder(file: Path) -> EnvelopeDecoder:
    found = Acoustic.load(file).dec
    assert isinstance(found, EnvelopeDecoder)
    return found


def test_steps_lower_the_loss(work: Path) -> None:
    trainer = EnvelopeTrainer(options(work, work, steps=400, rate=1e-3, budget=2 * SECONDS))
    losses = []
    for _ in range(6):
        torch.manual_seed(0)
        losses.append(trainer.step(200)["loss"])  # the same crops each time, at the full rate
    assert losses[-1] < 0.95 * losses[0]


def test_the_last_steps_have_judges_that_learn(work: Path) -> None:
    trainer = EnvelopeTrainer(options(work, work, steps=4, judged=0.5, budget=2 * SECONDS))
    assert set(trainer.step(2)) == {"loss"}
    before = [parameter.detach().clone() for parameter in trainer.judges.parameters()]
    assert set(trainer.step(3)) == {"loss", "adversarial", "feature", "judging"}
    assert any(not torch.equal(a, b) for a, b in zip(before, trainer.judges.parameters(), strict=True))


def test_what_judges_say_teaches_the_decoder_and_not_them(work: Path) -> None:
    trainer = EnvelopeTrainer(options(work, work, steps=4, judged=1.0, budget=2 * SECONDS))
    wav = 0.1 * torch.randn(2, trainer.sizes.hop * 80)
    made = wav.flip(0).clone().requires_grad_()
    said = trainer._judged(wav, made)
    (said["adversarial"] + said["feature"]).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0


def test_without_a_share_for_them_there_are_no_judges(work: Path) -> None:
    trainer = EnvelopeTrainer(options(work, work, steps=2, judged=0.0, budget=SECONDS))
    assert not hasattr(trainer, "judges") and set(trainer.step(2)) == {"loss"}


def test_a_stopped_decoder_goes_on_to_the_same_weights(work: Path, tmp_path: Path) -> None:
    found = []
    for name, minutes in (("whole", [None]), ("parts", [0.0, None])):  # 0 minutes: one step
        folder = tmp_path / name
        folder.mkdir()
        (folder / "f0.f16").symlink_to(work / "f0.f16")
        for limit in minutes:
            envelope.run(options(work, folder, steps=2, budget=SECONDS, minutes=limit))
        found.append((folder / "envelope.safetensors").read_bytes())
    assert found[0] == found[1]


def test_the_latent_of_the_corpus_has_unit_spread(work: Path) -> None:
    trainer = EnvelopeTrainer(options(work, work))
    latents = []
    for clip in trainer.clips:
        f0 = torch.from_numpy(trainer.pitch.of(clip))[None]
        latents.append(trainer.model.code.encode(torch.from_numpy(trainer.corpus.wav(clip, RATE))[None], f0)[0])
    values = trainer.model.code.unfold(torch.cat(latents, dim=1)[None])[0]
    assert values.mean(1).abs().max() < 0.01
    assert values[:-1].std(1).numpy() == pytest.approx(np.ones(len(values) - 1), abs=0.02)


def test_a_step_sees_what_the_budget_says(work: Path) -> None:
    assert EnvelopeTrainer(options(work, work, budget=None)).crops == BUDGET_S / SECONDS
    assert EnvelopeTrainer(options(work, work, budget=2 * SECONDS)).crops == 2
    assert EnvelopeTrainer(options(work, work, budget=0.1)).crops == 1


def test_a_crop_is_sound_and_its_own_pitch(work: Path) -> None:
    trainer = EnvelopeTrainer(options(work, work))
    clip = trainer.clips[1]
    wav, f0 = trainer.crop(clip, random.Random(3))
    whole, track = trainer.corpus.wav(clip, RATE), trainer.pitch.of(clip)
    at = next(n for n in range(0, len(whole), HOP) if np.array_equal(whole[n : n + len(wav)], wav))
    assert len(wav) == int(SECONDS * RATE) // HOP * HOP == len(f0) * HOP
    assert np.array_equal(track[at // HOP : at // HOP + len(f0)], f0)


def test_an_earlier_base_gives_its_decoder_and_the_measure_of_its_latent(work: Path, tmp_path: Path) -> None:
    torch.manual_seed(7)
    before = Acoustic()
    assert isinstance(before.dec, EnvelopeDecoder)
    before.dec.code.mean.fill_(3.0)
    before.save(tmp_path / "acoustic.safetensors")
    begun = EnvelopeTrainer(options(work, work, start=tmp_path)).model
    kept = decoder(tmp_path / "acoustic.safetensors").state_dict()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in begun.state_dict().items())
