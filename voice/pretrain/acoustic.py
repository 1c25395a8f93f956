"""Second phase of the acoustic base: prior, flow and reference encoder on tokens, phones and latents of the corpus.

The last part of the steps (`--judged`) has a judge of texture and a lower rate. Before the distance to the latents has
come down it would only teach the network to please: at 0.7e-3 the judge won, and words were lost (docs/base.md).
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

import torch

from voice.nets.acoustic import Acoustic
from voice.pretrain import tokens
from voice.pretrain.corpus import Clip, Corpus
from voice.pretrain.envelope import CONNECTED
from voice.pretrain.marks import vary_marks
from voice.pretrain.pitch import RATE, Pitch
from voice.pretrain.warm import warm_start
from voice.train.batching import Epochs
from voice.train.latent import LatentTrainer, LatentWeights, Spoken, spoken
from voice.train.loop import train, write_history
from voice.train.schedule import warm_cosine

BUDGET_S = 36.0  # seconds of audio a step
LONGEST_S = 12.0  # attention over longer clips costs more than it teaches
REFERENCE_S = 5.0
PLAIN = LatentWeights(guide=1.0)
JUDGED = LatentWeights(guide=1.0, adversarial=0.3, feature=0.4)
POLISH = 0.3  # of the learning rate, with the judge
CORRUPT = 0.4  # at most this share of an utterance's tokens is wrong
OTHERS = 0.7  # share of the utterances whose reference is another clip of the speaker


def start(args: argparse.Namespace) -> Acoustic:
    """A network with the frozen quantiser, the decoder of the first phase, and an earlier base where given."""
    model = Acoustic()
    if args.start is not None:
        warm_start(model, args.start / "acoustic.safetensors", ("enc_p", "flow", "ref_enc"))
    warm_start(model, args.work / "envelope.safetensors", ("dec",))
    warm_start(model, args.work / "quantiser.safetensors")
    return model


def run(args: argparse.Namespace) -> None:
    """Train and write `work/acoustic.safetensors`."""
    corpus = Corpus(args.arrays)
    pitch = Pitch(args.work, corpus)
    longest = min(args.longest, LONGEST_S)
    items = [i for i in tokens.load(args.work, corpus) if i.clip.seconds < longest and i.clip.kind in CONNECTED]
    held, items = items[::151][:24], [item for n, item in enumerate(items) if n % 151 or n // 151 >= 24]
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for item in items:
        by_speaker[item.clip.speaker].append(item.clip)
    torch.manual_seed(args.seed)
    model = start(args)
    hop = model.config.hop

    def example(item: tokens.Tokenised, rng: random.Random | None = None) -> Spoken:
        wav, f0 = torch.from_numpy(corpus.wav(item.clip, RATE)), torch.from_numpy(pitch.of(item.clip))
        phones, other = torch.tensor(item.clip.phones), None
        if rng is not None:
            phones = vary_marks(item.clip.phones, rng)
            clip = rng.choice(by_speaker[item.clip.speaker]) if rng.random() < OTHERS else item.clip
            heard = corpus.wav(clip, RATE)
            size = int(REFERENCE_S * RATE)
            first = rng.randrange(max(1, len(heard) - size))
            other = torch.from_numpy(heard[first : first + size])
        return spoken(wav, item.tokens, phones, f0, hop, item.spoken, other)

    def batch(number: int) -> list[Spoken]:
        rng = random.Random(args.seed * 19 + number)
        return [example(items[i], rng) for i in epochs.batch(number - 1)]

    def trainer(weights: LatentWeights, peak: float, steps: int) -> LatentTrainer:
        return LatentTrainer(
            model, batch, held_out, weights, lambda number: peak * warm_cosine(number, steps),
            corrupt=CORRUPT, device=args.device,
        )  # fmt: skip

    def taught(trainer: LatentTrainer, steps: int, folder: Path) -> list[dict[str, float]]:
        return train(
            trainer, steps, folder, seed=args.seed, log_every=50, save_every=100, validate_every=500,
            minutes=args.minutes, desc=folder.name,
        ).rows  # fmt: skip

    epochs = Epochs([item.clip.seconds for item in items], args.budget or BUDGET_S, args.seed)
    held_out = [example(item) for item in held]
    polish = max(1, round(args.judged * args.steps))
    first, rows = args.steps - polish, []
    if first:
        rows = taught(trainer(PLAIN, args.rate, first), first, args.work / "acoustic")
    if not first or rows[-1]["step"] == first:  # else the minutes were over
        judged = trainer(JUDGED, POLISH * args.rate, polish)
        more = taught(judged, polish, args.work / "acoustic" / "judged")
        rows = rows + [row | {"step": first + row["step"]} for row in more if row["step"] or not first]
        judged.judge.save(args.work / "texture.safetensors")
    warm_start(model, args.work / "envelope.safetensors", ("dec",))  # it may have been trained on meanwhile
    model.save(args.work / "acoustic.safetensors")
    write_history(args.work / "acoustic.loss.tsv", rows)
