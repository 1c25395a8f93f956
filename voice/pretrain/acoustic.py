"""Second phase of the acoustic base: the whole of s2 on tokens, phones and audio of the corpus."""

from __future__ import annotations

import argparse

import torch

from voice.nets.acoustic import Acoustic
from voice.nets.discriminator import Discriminator
from voice.pretrain import tokens
from voice.pretrain.corpus import RATES, Corpus
from voice.train.acoustic import AcousticTrainer, AcousticWeights, Utterance, fit
from voice.train.batching import Epochs
from voice.train.loop import train, write_history
from voice.train.schedule import warm_cosine
from voice.weights import load_tensors

RATE = RATES[0]
BUDGET_S = 36.0  # seconds of audio a step
LONGEST_S = 8.0


def start(work: argparse.Namespace) -> Acoustic:
    """A new network holding the frozen quantiser and, when trained, the autoencoder of the first phase."""
    model = Acoustic()
    first = work.work / "autoencoder.safetensors"
    if first.is_file():
        state, _ = load_tensors(first)
        kept = {k: v.float() for k, v in state.items() if k.split(".")[0] in ("enc_q", "ref_enc", "dec")}
        model.load_state_dict(kept, strict=False)
    quantiser, _ = load_tensors(work.work / "quantiser.safetensors")
    model.load_state_dict(quantiser, strict=False)
    return model


def run(args: argparse.Namespace) -> None:
    """Train and write `work/acoustic.safetensors` and `work/discriminator.safetensors`."""
    corpus = Corpus(args.work)
    items = [i for i in tokens.load(args.work, corpus) if i.clip.seconds < LONGEST_S]
    held, items = items[::151][:16], [item for n, item in enumerate(items) if n % 151 or n // 151 >= 16]
    torch.manual_seed(args.seed)
    model = start(args)
    hop = model.config.hop

    def utterance(item: tokens.Tokenised) -> Utterance:
        wav = torch.from_numpy(corpus.wav(item.clip, RATE))
        wav, codes = fit(wav, item.tokens, hop)
        return Utterance(wav, codes, torch.tensor(item.clip.phones))

    epochs = Epochs([item.clip.seconds for item in items], BUDGET_S, args.seed)
    trainer = AcousticTrainer(
        model,
        Discriminator(),
        lambda number: [utterance(items[i]) for i in epochs.batch(number - 1)],
        [utterance(item) for item in held],
        AcousticWeights(),
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
