"""The semantic base: s1 on phones and tokens of the corpus, half of the lines joined with another of the same speaker.

Joined lines look like synthesis does: a prompt with its text, then the target.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict

import torch

from voice.nets.semantic import Semantic
from voice.pretrain import tokens
from voice.pretrain.corpus import Corpus
from voice.pretrain.marks import vary_marks
from voice.pretrain.warm import warm_start
from voice.train.batching import Epochs
from voice.train.loop import train, write_history
from voice.train.schedule import warm_cosine
from voice.train.semantic import Line, SemanticTrainer

BUDGET_TOKENS = 1400.0
LONGEST_JOINED_S = 14.0
WITHOUT_TOKENS = ("text_", "layers", "audio_position")  # what knows of phones and attention alone
CORRUPT = 0.5  # at most this share of the tokens seen is replaced


def join(first: tokens.Tokenised, second: tokens.Tokenised | None, rng: random.Random | None = None) -> Line:
    """One line, or two after each other with phone indices of the second moved on; `rng` varies the marks."""

    def read(item: tokens.Tokenised) -> torch.Tensor:
        return vary_marks(item.clip.phones, rng) if rng else torch.tensor(item.clip.phones)

    phones, codes, spoken = read(first), first.tokens, first.spoken
    if second is not None:
        spoken = torch.cat([spoken, second.spoken + len(phones)])
        phones = torch.cat([phones, read(second)])
        codes = torch.cat([codes, second.tokens])
    return Line(phones, codes, spoken)


def run(args: argparse.Namespace) -> None:
    """Train and write `work/semantic.safetensors`."""
    corpus = Corpus(args.arrays)
    items = tokens.load(args.work, corpus)
    held, items = items[::151][:30], [item for n, item in enumerate(items) if n % 151 or n // 151 >= 30]
    speakers: dict[str, list[tokens.Tokenised]] = defaultdict(list)
    for item in items:
        speakers[item.clip.speaker].append(item)
    epochs = Epochs([len(item.tokens) * 1.6 for item in items], args.budget or BUDGET_TOKENS, args.seed)

    def batch(number: int) -> list[Line]:
        rng = random.Random(args.seed * 13 + number)
        lines = []
        for index in epochs.batch(number - 1):
            item = items[index]
            other = rng.choice(speakers[item.clip.speaker])
            fits = item.clip.seconds + other.clip.seconds < LONGEST_JOINED_S
            lines.append(join(item, other if fits and rng.random() < 0.5 else None, rng))
        return lines

    torch.manual_seed(args.seed)
    model = Semantic()
    if args.start is not None:
        known = ("",) if tokens.same_quantiser(args.work, args.start) else WITHOUT_TOKENS
        warm_start(model, args.start / "semantic.safetensors", known)
    trainer = SemanticTrainer(
        model,
        batch,
        [join(item, None) for item in held],
        lambda number: args.rate * warm_cosine(number, args.steps),
        guide=1.0,
        guided_layers=(1, 2, 3),
        corrupt=CORRUPT,
        device=args.device,
    )
    history = train(
        trainer, args.steps, args.work / "semantic", seed=args.seed, log_every=50, save_every=200,
        validate_every=500, minutes=args.minutes, desc="semantic",
    )  # fmt: skip
    model.save(args.work / "semantic.safetensors")
    write_history(args.work / "semantic.loss.tsv", history.rows)
