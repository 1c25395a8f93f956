"""The content encoder as a student of Whisper: frames of the teacher, spoken units and CTC, on much-varied sound.

Starts from `work/content.safetensors`. Targets of the layer that features are taken from: the teacher's frame
(smooth L1 on its components, the speaker's mean taken away) and the unit spoken (from `target/frames.safetensors`).
Speakers held out wholly show what strangers get.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
from itertools import groupby
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from voice.metrics.phone_error import heard_units, phone_edits
from voice.nets.hubert import RATE, ContentConfig, ContentEncoder
from voice.pretrain.corpus import Clip, Corpus
from voice.pretrain.kept import Kept
from voice.pretrain.targets import IGNORE, Targets, fitting, strangers
from voice.pretrain.teacher import DIMS
from voice.pretrain.vary import VariedFront, vary
from voice.text.units import CTC_UNITS
from voice.train.batching import Epochs, pad_right
from voice.train.loop import train, write_history
from voice.weights import load_tensors, save_tensors

BUDGET_S = 36.0
CTC_SHARE = 0.5
HELD_EVERY = 3
TEACHER_SHARE = 2.0


def plateau(step: int, steps: int, warm: int = 100, falling: float = 0.5) -> float:
    """Factor on the learning rate: up over `warm` steps, level, and down to 3 % over the last `falling` share.

    While it is level, a run may be given more or fewer steps without a break in the schedule.
    """
    return min(1.0, step / warm, 0.03 + 0.97 * (steps - step) / (falling * steps))


def unsteady(frames: torch.Tensor, units: torch.Tensor) -> torch.Tensor:
    """How much frames [B, T, D] change within one unit of units [B, T]: mean square step, as a share of their variance.

    Steps inside silence and pads do not count.
    """
    inside = (units[:, 1:] == units[:, :-1]) & (units[:, 1:] > 0)
    steps = (frames[:, 1:] - frames[:, :-1]).square().mean(-1)
    return (steps * inside).sum() / inside.sum().clamp(min=1) / frames[units > 0].var(0).mean()


class DistilTrainer(Kept):
    """Teacher, frame and CTC steps of a ContentEncoder."""

    parts = ("model", "head", "guess", "optimiser")

    def __init__(self, args: argparse.Namespace) -> None:
        self.steps, self.rate, self.seed, self.device = args.steps, args.rate, args.seed, torch.device(args.device)
        torch.manual_seed(args.seed)  # for the layers that begin at random
        self.steady, self.strength = args.steady, args.strength
        self.corpus = Corpus(args.arrays)
        self.targets = Targets(self.corpus, args.target / "frames.safetensors", args.target)
        away = strangers(self.corpus.clips)
        fit = fitting(self.corpus, self.targets, args.longest)
        self.clips = [clip for clip in fit if clip.speaker not in away]
        self.held = [clip for clip in fit if clip.speaker in away][::HELD_EVERY]
        self.epochs = Epochs([clip.seconds for clip in self.clips], args.budget or BUDGET_S, args.seed)
        config = dataclasses.replace(ContentConfig(), feature_layer=args.feature_layer)
        self.model = ContentEncoder(config)
        front = VariedFront(config.mels, config.conv_dim[-1], config.centre, args.strength)
        self.model.hubert.feature_extractor = front  # type: ignore[assignment]
        state, _ = load_tensors(args.work / "content.safetensors")
        self.model.load_state_dict({name: t.float() for name, t in state.items()})
        self.head = nn.Linear(config.hidden, len(CTC_UNITS))
        self.guess = nn.Linear(config.hidden, DIMS)  # of the teacher's frame
        for part in (self.model, self.head, self.guess):
            part.to(self.device)
        self.component_weight = self.targets.weight.to(self.device)
        self.trained = [p for part in (self.model, self.head, self.guess) for p in part.parameters()]
        self.optimiser = torch.optim.AdamW(self.trained, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01)

    def _losses(
        self, wavs: list[torch.Tensor], units: list[torch.Tensor], frames: list[torch.Tensor], clips: list[Clip]
    ) -> tuple[dict[str, torch.Tensor], float, torch.Tensor, torch.Tensor]:
        """Losses by name, share of sounding frames right, frame scores and CTC log probabilities [B, T, units]."""
        wav, sizes = (t.to(self.device) for t in pad_right(wavs))
        with torch.autocast(self.device.type, torch.bfloat16):
            ssl, logs, counts = self.model.features_and_log_probs(wav, sizes)
            scores, guess = self.head(ssl).float(), self.guess(ssl).float()
        target, _ = pad_right(units, IGNORE)
        target = F.pad(target, (0, scores.shape[1] - target.shape[1]), value=IGNORE).to(self.device)
        taught = torch.zeros(*target.shape, DIMS)
        for row, part in zip(taught, frames, strict=True):
            row[: len(part)] = part
        apart = F.smooth_l1_loss(guess, taught.to(self.device), reduction="none") * self.component_weight
        real = target != IGNORE
        text = torch.tensor([unit for clip in clips for unit in clip.units], device=self.device)
        lengths = torch.tensor([len(clip.units) for clip in clips], device=self.device)
        ctc = F.ctc_loss(logs.transpose(0, 1).float(), text, counts, lengths, reduction="none", zero_infinity=True)
        losses = {
            "frame": F.cross_entropy(scores.flatten(0, 1), target.flatten(), ignore_index=IGNORE),
            "ctc": ctc.sum() / lengths.sum(),
            "teacher": apart.mean(-1)[real].mean(),
            "unsteady": unsteady(ssl.float(), target),
        }
        right = ((scores.argmax(-1) == target) & (target > 0)).sum() / (target > 0).sum()
        return losses, float(right), scores, logs

    def _varied(self, clip: Clip, rng: random.Random) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        unit, frames = self.targets.of(clip)
        other = torch.from_numpy(self.corpus.wav(rng.choice(self.clips), RATE))
        wav, place = vary(torch.from_numpy(self.corpus.wav(clip, RATE)), other, rng, self.strength)
        return wav, unit[place], frames[place]

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        rng = random.Random(self.seed * 41 + number)
        clips = [self.clips[i] for i in self.epochs.batch(number - 1)]
        varied = [self._varied(clip, rng) for clip in clips]
        wavs, units, frames = ([row[n] for row in varied] for n in range(3))
        losses, right, _, _ = self._losses(wavs, units, frames, clips)
        loss = losses["frame"] + CTC_SHARE * losses["ctc"] + TEACHER_SHARE * losses["teacher"]
        loss = loss + self.steady * losses["unsteady"]
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * plateau(number, self.steps)
        self.optimiser.step()
        return {"loss": float(loss.detach()), "right": right} | {k: float(v.detach()) for k, v in losses.items()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """On strangers: losses, share of sounding frames right, phone error of CTC and of frames at token rate."""
        self.model.eval()
        sums: dict[str, float] = {}
        total = 0
        for clip in self.held:
            unit, frames = self.targets.of(clip)
            wav = torch.from_numpy(self.corpus.wav(clip, RATE))
            losses, right, scores, logs = self._losses([wav], [unit], [frames], [clip])
            pairs = scores[0, : scores.shape[1] // 2 * 2].view(-1, 2, scores.shape[2]).mean(1).argmax(-1).tolist()
            row = {name: float(value) / len(self.held) for name, value in losses.items()}
            row |= {"loss": row["frame"], "right": right / len(self.held)}
            row["ctc_edits"] = phone_edits(heard_units(logs[0]), clip.units)
            row["frame_edits"] = phone_edits([unit for unit, _ in groupby(pairs) if unit], clip.units)
            sums = {name: sums.get(name, 0.0) + value for name, value in row.items()}
            total += len(clip.units)
        for name in ("ctc", "frame"):
            sums[f"{name}_error"] = sums.pop(f"{name}_edits") / max(total, 1)
        return sums


def run(args: argparse.Namespace) -> None:
    """Write `target/content.safetensors` and `target/frame_head.safetensors`; checkpoints in `target/distil`."""
    trainer = DistilTrainer(args)
    options: dict[str, Any] = {"log_every": 50, "save_every": 100, "validate_every": 500, "minutes": args.minutes}
    history = train(trainer, args.steps, args.target / "distil", seed=args.seed, desc="distil", **options)
    trainer.model.save(args.target / "content.safetensors")
    head = {name: tensor.half() for name, tensor in trainer.head.state_dict().items()}
    save_tensors(args.target / "frame_head.safetensors", head)
    write_history(args.target / "distil.loss.tsv", history.rows)
