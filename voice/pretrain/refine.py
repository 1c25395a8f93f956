"""Second phase of the content encoder: frames classified by the unit spoken in them, with CTC beside it.

The classifier reads the layer that features are taken from, so the features themselves tell the phones apart.
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from voice.metrics.phone_error import heard_units, phone_edits
from voice.nets.hubert import HOP, RATE, ContentConfig, ContentEncoder
from voice.pretrain.content import BUDGET_S, split, usable
from voice.pretrain.corpus import Clip, Corpus
from voice.pretrain.frames import frame_head
from voice.pretrain.kept import Kept
from voice.text.units import CTC_UNITS
from voice.train.batching import Epochs, pad_right
from voice.train.loop import train, write_history
from voice.train.schedule import warm_cosine
from voice.weights import load_tensors, save_tensors

CTC_SHARE = 0.5
SPEEDS = (0.85, 1.18)
IGNORE = -1


def disturb(wav: torch.Tensor, labels: torch.Tensor, rng: random.Random) -> tuple[torch.Tensor, torch.Tensor]:
    """Speed change (pitch and formants move with it), tilt, noise and silenced spans, with labels to match.

    wav [N] -> [M], labels [T] -> [T'].
    """
    speed = rng.uniform(*SPEEDS)
    size = int(len(wav) / speed)
    wav = F.interpolate(wav[None, None], size=size, mode="linear")[0, 0]
    place = (torch.arange(size // HOP) * speed).long().clamp(max=len(labels) - 1)
    tilt = rng.uniform(-0.4, 0.4)
    wav = wav + tilt * F.pad(wav[:-1], (1, 0))
    if rng.random() < 0.3:
        wav = wav + torch.randn_like(wav) * wav.square().mean().sqrt() * 10 ** rng.uniform(-2.0, -0.8)
    for _ in range(int(len(wav) / RATE)):
        at = rng.randrange(len(wav))
        wav[at : at + rng.randrange(RATE // 16)] = 0
    return wav, labels[place]


class RefineTrainer(Kept):
    """Frame and CTC steps of a ContentEncoder and its frame classifier."""

    parts = ("model", "head", "optimiser")

    def __init__(self, args: argparse.Namespace) -> None:
        self.steps, self.rate, self.seed = args.steps, args.rate, args.seed
        self.corpus = Corpus(args.arrays)
        tensors, _ = load_tensors(args.work / "frames.safetensors")
        starts = tensors["start"].tolist()
        spans = {c.name: (a, b) for c, a, b in zip(self.corpus.clips, starts[:-1], starts[1:], strict=True)}
        self.labels = {name: tensors["unit"][a:b].long() for name, (a, b) in spans.items()}
        fit = usable(self.corpus, args.longest)
        fit = [clip for clip in fit if int(self.labels[clip.name].min()) >= 0]
        self.clips, self.held = split(fit)
        self.epochs = Epochs([clip.seconds for clip in self.clips], args.budget or BUDGET_S, args.seed)
        state, _ = load_tensors(args.work / "content.safetensors")
        self.model = ContentEncoder(ContentConfig())
        self.model.load_state_dict({name: t.float() for name, t in state.items()})
        self.head = frame_head(args.work) or nn.Linear(self.model.dim, len(CTC_UNITS))
        self.trained = [*self.model.parameters(), *self.head.parameters()]
        self.optimiser = torch.optim.AdamW(self.trained, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01)

    def _losses(
        self, wavs: list[torch.Tensor], labels: list[torch.Tensor], clips: list[Clip]
    ) -> tuple[torch.Tensor, torch.Tensor, float, torch.Tensor]:
        """Frame loss, CTC loss a unit, share of frames right, CTC log probabilities."""
        wav, sizes = pad_right(wavs)
        with torch.autocast("cpu", torch.bfloat16):
            ssl, logs, frames = self.model.features_and_log_probs(wav, sizes)
            scores = self.head(ssl)
        target, _ = pad_right(labels, IGNORE)
        target = F.pad(target, (0, scores.shape[1] - target.shape[1]), value=IGNORE)
        frame = F.cross_entropy(scores.float().flatten(0, 1), target.flatten(), ignore_index=IGNORE)
        right = float(((scores.argmax(-1) == target) & (target > 0)).sum() / (target > 0).sum())
        units = torch.tensor([unit for clip in clips for unit in clip.units])
        counts = torch.tensor([len(clip.units) for clip in clips])
        each = F.ctc_loss(logs.transpose(0, 1).float(), units, frames, counts, reduction="none", zero_infinity=True)
        return frame, each.sum() / counts.sum(), right, logs

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        rng = random.Random(self.seed * 37 + number)
        clips = [self.clips[i] for i in self.epochs.batch(number - 1)]
        pairs = [disturb(torch.from_numpy(self.corpus.wav(c, RATE)), self.labels[c.name], rng) for c in clips]
        frame, ctc, right, _ = self._losses([p[0] for p in pairs], [p[1] for p in pairs], clips)
        self.optimiser.zero_grad()
        (frame + CTC_SHARE * ctc).backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * warm_cosine(number, self.steps, warm=100)
        self.optimiser.step()
        return {"loss": float(frame.detach()), "ctc": float(ctc.detach()), "frames_right": right}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Frame loss, share of sounding frames right and greedy phone error on held-out clips."""
        self.model.eval()
        loss = right = errors = total = 0.0
        for clip in self.held:
            wav = torch.from_numpy(self.corpus.wav(clip, RATE))
            frame, _, hits, logs = self._losses([wav], [self.labels[clip.name]], [clip])
            loss, right = loss + float(frame) / len(self.held), right + hits / len(self.held)
            errors += phone_edits(heard_units(logs[0]), clip.units)
            total += len(clip.units)
        return {"loss": loss, "frames_right": right, "phone_error": errors / max(total, 1)}


def run(args: argparse.Namespace) -> None:
    """Train on from `work/content.safetensors`, which is replaced, and write `work/frame_head.safetensors`."""
    trainer = RefineTrainer(args)
    options: dict[str, Any] = {"log_every": 50, "save_every": 250, "validate_every": 500, "minutes": args.minutes}
    history = train(trainer, args.steps, args.work / "refine", seed=args.seed, desc="refine", **options)
    trainer.model.save(args.work / "content.safetensors")
    save_tensors(args.work / "frame_head.safetensors", {k: v.half() for k, v in trainer.head.state_dict().items()})
    write_history(args.work / "refine.loss.tsv", history.rows)
