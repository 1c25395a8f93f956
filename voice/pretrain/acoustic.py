"""Second phase of the acoustic base: the whole of s2 on tokens, phones and audio of the corpus."""

from __future__ import annotations

import argparse
import random

import torch

from voice.nets.acoustic import Acoustic
from voice.nets.discriminator import Discriminator
from voice.pretrain import tokens
from voice.pretrain.autoencoder import CLEAN
from voice.pretrain.corpus import RATES, Corpus
from voice.pretrain.marks import vary_marks
from voice.pretrain.warm import warm_start
from voice.train.acoustic import AcousticTrainer, AcousticWeights, Utterance, utterance
from voice.train.batching import Epochs
from voice.train.loop import train, write_history
from voice.train.schedule import warm_cosine

RATE = RATES[0]
BUDGET_S = 36.0  # seconds of audio a step


def start(args: argparse.Namespace) -> Acoustic:
    """A network with the frozen quantiser, the autoencoder of the first phase, and an earlier base where given."""
    model = Acoustic()
    if args.start is not None:
        warm_start(model, args.start / "acoustic.safetensors", ("enc_p", "flow"))
    first = args.work / "autoencoder.safetensors"
    if first.is_file():
        warm_start(model, first, ("enc_q", "ref_enc", "dec"))
    warm_start(model, args.work / "quantiser.safetensors")
    return model


def run(args: argparse.Namespace) -> None:
    """Train and write `work/acoustic.safetensors` and `work/discriminator.safetensors`."""
    corpus = Corpus(args.arrays)
    items = [i for i in tokens.load(args.work, corpus) if i.clip.seconds < args.longest and i.clip.kind in CLEAN]
    held, items = items[::151][:16], [item for n, item in enumerate(items) if n % 151 or n // 151 >= 16]
    torch.manual_seed(args.seed)
    model = start(args)
    hop = model.config.hop

    def spoken(item: tokens.Tokenised, rng: random.Random | None = None) -> Utterance:
        wav = torch.from_numpy(corpus.wav(item.clip, RATE))
        phones = vary_marks(item.clip.phones, rng) if rng else torch.tensor(item.clip.phones)
        return utterance(wav, item.tokens, phones, RATE, hop, item.spoken)

    def batch(number: int) -> list[Utterance]:
        rng = random.Random(args.seed * 19 + number)
        return [spoken(items[i], rng) for i in epochs.batch(number - 1)]

    epochs = Epochs([item.clip.seconds for item in items], args.budget or BUDGET_S, args.seed)
    trainer = AcousticTrainer(
        model,
        Discriminator(),
        batch,
        [spoken(item) for item in held],
        AcousticWeights(prior=args.prior, guide=2.0),
        lambda number: args.rate * warm_cosine(number, args.steps),
        trainable=[name for name, _ in model.named_children() if name not in ("ssl_proj", "quantiser")],
        segment_frames=48,
        adversarial_from=args.adversarial_from,
        device=args.device,
    )
    history = train(
        trainer, args.steps, args.work / "acoustic", seed=args.seed, log_every=50, save_every=100,
        validate_every=500, minutes=args.minutes, desc="acoustic",
    )  # fmt: skip
    model.save(args.work / "acoustic.safetensors")
    assert trainer.discriminator is not None
    trainer.discriminator.save(args.work / "discriminator.safetensors")
    write_history(args.work / "acoustic.loss.tsv", history.rows)
