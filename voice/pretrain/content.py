"""First content encoder, for the first alignment: HuBERT taught to recognise phones (CTC) on the corpus.

Phone supervision needs the fewest hours of a CPU to give features that tell content from speaker; speed
perturbation and silenced spans keep it from learning the clips by heart. Training starts on a handful of short clean
clips and doubles their number every few steps: on all clips at once CTC stays on its all-blank plateau for an hour.
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import torch
from torch.nn import functional as F

from voice.metrics.phone_error import heard_units, phone_edits
from voice.nets.hubert import HOP, RATE, ContentEncoder
from voice.pretrain.corpus import LONGEST_S, Clip, Corpus
from voice.pretrain.warm import warm_start
from voice.train.batching import Epochs, pad_right
from voice.train.kept import Kept
from voice.train.loop import train, write_history
from voice.train.schedule import warm_cosine

BUDGET_S = 24.0  # seconds of sound a step where no other is given
FIRST_CLIPS = 32
DOUBLING_STEPS = 60


def disturb(wav: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """Speed change of up to 10 % (pitch moves with it) and a few silenced spans of up to 60 ms; [N] -> [M]."""
    speed = rng.uniform(0.9, 1.1)
    wav = F.interpolate(wav[None, None], size=int(len(wav) / speed), mode="linear")[0, 0]
    for _ in range(int(len(wav) / RATE)):
        at = rng.randrange(len(wav))
        wav[at : at + rng.randrange(RATE // 16)] = 0
    return wav


class ContentTrainer(Kept):
    """CTC steps of a ContentEncoder."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.steps, self.rate, self.seed, self.device = args.steps, args.rate, args.seed, torch.device(args.device)
        torch.manual_seed(args.seed)
        self.model = ContentEncoder().to(self.device)
        self.corpus = Corpus(args.arrays)
        self.clips, self.held = split(usable(self.corpus, args.longest))
        self.budget = args.budget or BUDGET_S
        self.epochs = Epochs([clip.seconds for clip in self.clips], self.budget, args.seed)
        self.easy = sorted(self.clips, key=lambda c: (c.kind != "synthetic", abs(c.seconds - 3), c.name))
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01)

    def _loss(self, wavs: list[torch.Tensor], clips: list[Clip]) -> torch.Tensor:
        wav, sizes = (t.to(self.device) for t in pad_right(wavs))
        with torch.autocast(wav.device.type, torch.bfloat16):
            logs, frames = self.model.log_probs(wav, sizes)
        targets = torch.tensor([unit for clip in clips for unit in clip.units], device=self.device)
        counts = torch.tensor([len(clip.units) for clip in clips], device=self.device)
        loss = F.ctc_loss(logs.transpose(0, 1).float(), targets, frames, counts, reduction="none", zero_infinity=True)
        return loss.sum() / counts.sum()

    def _batch(self, number: int, rng: random.Random) -> list[Clip]:
        pool = int(FIRST_CLIPS * 2 ** (number / DOUBLING_STEPS))
        if pool >= len(self.clips):
            return [self.clips[i] for i in self.epochs.batch(number - 1)]
        return rng.sample(self.easy[:pool], min(pool, int(self.budget / 4)))

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        rng = random.Random(self.seed * 31 + number)
        clips = self._batch(number, rng)
        wavs = [torch.from_numpy(self.corpus.wav(clip, RATE)) for clip in clips]
        if number > DOUBLING_STEPS * 8:
            wavs = [disturb(wav, rng) for wav in wavs]
        loss = self._loss(wavs, clips)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * warm_cosine(number, self.steps, warm=50)
        self.optimiser.step()
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """CTC loss per phone and greedy phone error rate on held-out clips."""
        self.model.eval()
        loss = errors = total = 0.0
        for clip in self.held:
            wav = torch.from_numpy(self.corpus.wav(clip, RATE))
            loss += float(self._loss([wav], [clip])) / len(self.held)
            logs, _ = self.model.log_probs(wav[None].to(self.device))
            errors += phone_edits(heard_units(logs[0].cpu()), clip.units)
            total += len(clip.units)
        return {"loss": loss, "phone_error": errors / max(total, 1)}


def split(clips: list[Clip], every: int = 97, most: int = 40) -> tuple[list[Clip], list[Clip]]:
    """Training clips and held-out ones (every 97th of the usable clips, at most 40)."""
    held = clips[::every][:most]
    names = {clip.name for clip in held}
    return [clip for clip in clips if clip.name not in names], held


def usable(corpus: Corpus, longest: float = LONGEST_S) -> list[Clip]:
    """Clips below `longest` seconds with enough frames for their units."""
    return [c for c in corpus.clips if c.units and c.seconds < longest and c.size[RATE] // HOP > 1.3 * len(c.units)]


def run(args: argparse.Namespace) -> None:
    """Train and write `work/content.safetensors`."""
    trainer = ContentTrainer(args)
    if args.start is not None:
        warm_start(trainer.model, args.start / "content.safetensors")
    options: dict[str, Any] = {"log_every": 50, "save_every": 250, "validate_every": 500, "minutes": args.minutes}
    history = train(trainer, args.steps, args.work / "content", seed=args.seed, desc="content", **options)
    trainer.model.save(args.work / "content.safetensors")
    write_history(args.work / "content.loss.tsv", history.rows)
