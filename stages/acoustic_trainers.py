"""Which steps fine-tune s2: on latents where analysis gives them (the mini base), else through the decoder."""

from __future__ import annotations

import random
from pathlib import Path

import torch

from stages.params import TrainAcoustic
from stages.segments import Segment
from stages.training import order, rate, steps
from voice.errors import UserError
from voice.f0 import f0_track
from voice.nets.acoustic import Acoustic
from voice.nets.discriminator import Discriminator
from voice.nets.envelope import EnvelopeDecoder
from voice.nets.texture import Texture
from voice.train.acoustic import AcousticTrainer, AcousticWeights, utterance
from voice.train.latent import LatentTrainer, LatentWeights, Spoken, spoken
from voice.train.loop import Trainer


def make_trainer(model: Acoustic, segments: list[Segment], settings: TrainAcoustic, base: Path, device: str) -> Trainer:
    """The trainer of `model` on the segments of a voice; `base` is the folder of the weights it started from."""
    if isinstance(model.dec, EnvelopeDecoder):
        return on_latents(model, segments, settings, base, device)
    return through_decoder(model, segments, settings, base, device)


def split(segments: list[Segment]) -> tuple[list[Segment], list[Segment]]:
    """Segments to train on, and those held out."""
    return tuple([s for s in segments if s.split == name] for name in ("train", "held_out"))  # type: ignore[return-value]


def on_latents(
    model: Acoustic, segments: list[Segment], settings: TrainAcoustic, base: Path, device: str
) -> LatentTrainer:
    """Steps whose reference is another segment of the voice, as it is in use; judged by the base's judge of texture.

    Raises UserError for settings that this base has no means for.
    """
    if settings.lora_rank:
        raise UserError("params.yaml: train_acoustic: lora_rank is not for this base", "set it to 0")
    weights = LatentWeights(
        kl=settings.c_kl, prior=settings.c_prior, mel=settings.c_mel, adversarial=settings.c_adv, feature=settings.c_fm
    )
    file = base / "texture.safetensors"
    if weights.judged and not file.is_file():
        raise UserError(
            f"params.yaml: train_acoustic: c_adv and c_fm need {file.name}, which this base lacks", "set both to 0"
        )
    c = model.config

    def example(s: Segment, other: torch.Tensor | None = None) -> Spoken:
        f0 = torch.from_numpy(f0_track(s.wav.numpy(), c.sample_rate, c.hop // 2))
        return spoken(s.wav, s.tokens, s.phones, f0, c.hop, other=other)

    known, held = split(segments)
    ready = [example(s) for s in known]
    total, batches = steps(settings, len(known)), order(settings, len(known))

    def batch(number: int) -> list[Spoken]:
        rng = random.Random(settings.seed * 31 + number)
        picked = [ready[i] for i in batches.batch(number - 1)]
        return [Spoken(p.wav, p.codes, p.phones, p.f0, p.spoken, rng.choice(known).wav) for p in picked]

    return LatentTrainer(
        model,
        batch,
        [example(s, known[0].wav) for s in held],
        weights,
        rate(settings, total, len(known)),
        trainable=settings.trainable,
        judge=Texture.load(file) if weights.judged else None,
        corrupt=settings.corrupt,
        segment_frames=settings.segment_frames,
        device=device,
        autocast=device == "cuda",
    )


def through_decoder(
    model: Acoustic, segments: list[Segment], settings: TrainAcoustic, base: Path, device: str
) -> AcousticTrainer:
    """Steps of the published recipe, with the discriminator of the base where it takes part."""
    c = model.config
    known, held = (
        [utterance(s.wav, s.tokens, s.phones, c.sample_rate, c.hop, speaker=s.speaker) for s in part]
        for part in split(segments)
    )
    batches = order(settings, len(known))
    return AcousticTrainer(
        model,
        Discriminator.load(base / "discriminator.safetensors") if settings.c_adv > 0 else None,
        lambda number: [known[i] for i in batches.batch(number - 1)],
        held,
        AcousticWeights(
            mel=settings.c_mel,
            kl=settings.c_kl,
            prior=settings.c_prior,
            adversarial=settings.c_adv,
            feature=settings.c_fm,
            pitch=settings.c_pitch,
        ),
        rate(settings, steps(settings, len(known)), len(known)),
        trainable=settings.trainable,
        lora_rank=settings.lora_rank,
        text_rate=settings.text_rate,
        mel=settings.mel,
        corrupt=settings.corrupt,
        segment_frames=settings.segment_frames,
        device=device,
        autocast=device == "cuda",
    )
