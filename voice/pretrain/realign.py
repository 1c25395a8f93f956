"""Which unit is spoken in each frame, by the teacher: the labels of all that follows.

A small convolutional head on the teacher's frames learns units from the first alignment (`frames`) and CTC beside it,
and aligns the corpus again. The teacher knows strangers, so its alignment does not suffer where the first encoder's
does.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from voice.metrics.phone_error import heard_units, phone_edits
from voice.nets.hubert import HOP, RATE
from voice.nets.whisper_units import UnitHead
from voice.pretrain.corpus import Clip, Corpus
from voice.pretrain.frames import sounding, walk
from voice.pretrain.targets import IGNORE, Targets, fitting, strangers
from voice.text.symbols import SYMBOLS
from voice.text.units import unit_of
from voice.train.batching import Epochs, pad_right
from voice.train.kept import Kept
from voice.train.loop import train, write_history
from voice.train.schedule import warm_cosine
from voice.weights import save_tensors

BUDGET_S = 240.0


class HeadTrainer(Kept):
    """Frame and CTC steps of a UnitHead; `targets` are the frames it reads and the units it should find."""

    def __init__(self, args: argparse.Namespace, corpus: Corpus, targets: Targets) -> None:
        self.steps, self.rate, self.seed, self.device = args.steps, args.rate, args.seed, torch.device(args.device)
        torch.manual_seed(args.seed)  # for the layers that begin at random
        self.corpus, self.targets = corpus, targets
        away = strangers(self.corpus.clips)
        fit = fitting(self.corpus, self.targets, args.longest)
        self.clips = [clip for clip in fit if clip.speaker not in away]
        self.held = [clip for clip in fit if clip.speaker in away]
        self.epochs = Epochs([clip.seconds for clip in self.clips], args.budget or BUDGET_S, args.seed)
        self.model = UnitHead().to(self.device)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=args.rate, weight_decay=0.01)

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        clips = [self.clips[i] for i in self.epochs.batch(number - 1)]
        pairs = [self.targets.of(clip) for clip in clips]
        unit, sizes = pad_right([unit for unit, _ in pairs], IGNORE)
        frames, _ = pad_right([frames.T for _, frames in pairs])
        with torch.autocast(self.device.type, torch.bfloat16):
            scores, logits = self.model(frames.transpose(1, 2).to(self.device))
        frame = F.cross_entropy(scores.float().flatten(0, 1), unit.flatten().to(self.device), ignore_index=IGNORE)
        text = torch.tensor([unit for clip in clips for unit in clip.units], device=self.device)
        lengths = torch.tensor([len(clip.units) for clip in clips], device=self.device)
        logs = logits.float().log_softmax(-1).transpose(0, 1)
        sizes = sizes.to(self.device)
        ctc = F.ctc_loss(logs, text, sizes, lengths, reduction="sum", zero_infinity=True) / lengths.sum()
        self.optimiser.zero_grad()
        (frame + 0.5 * ctc).backward()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * warm_cosine(number, self.steps, warm=50)
        self.optimiser.step()
        return {"loss": float(frame.detach()), "ctc": float(ctc.detach())}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Share of strangers' sounding frames right, and phone error of CTC."""
        self.model.eval()
        right = sounded = edits = total = 0
        for clip in self.held:
            unit, frames = self.targets.of(clip)
            scores, logits = (x[0].cpu() for x in self.model(frames[None].to(self.device)))
            right += int(((scores.argmax(-1) == unit) & (unit > 0)).sum())
            sounded += int((unit > 0).sum())
            edits += phone_edits(heard_units(logits), clip.units)
            total += len(clip.units)
        return {"right": right / max(sounded, 1), "ctc_error": edits / max(total, 1)}


def labels(wav: np.ndarray, clip: Clip, scores: torch.Tensor) -> np.ndarray:
    """Unit of each frame of a clip [T] int16, 0 where nothing is said, from frame scores [T, units] of the head.

    All IGNORE when the clip's units cannot fit into its frames.
    """
    count = len(wav) // HOP
    if not clip.units or len(clip.units) * 1.2 > count:
        return np.full(count, IGNORE, dtype=np.int16)
    spoken, blank = walk(scores.log_softmax(-1), clip.phones)
    unit = np.array([unit_of(SYMBOLS[clip.phones[i]]) or 0 for i in spoken], dtype=np.int16)
    return np.where(blank | ~sounding(wav, count), 0, unit).astype(np.int16)


def run(args: argparse.Namespace) -> None:
    """Train the head and write `target/teacher_head.safetensors` and `target/frames.safetensors` (as `frames` does)."""
    corpus = Corpus(args.arrays)
    targets = Targets(corpus, args.work / "frames.safetensors", args.target)
    trainer = HeadTrainer(args, corpus, targets)
    history = train(
        trainer, args.steps, args.target / "realign", seed=args.seed, log_every=50, save_every=200, validate_every=200,
        minutes=args.minutes, desc="realign",
    )  # fmt: skip
    save_tensors(args.target / "teacher_head.safetensors", trainer.model.state_dict())
    write_history(args.target / "realign.loss.tsv", history.rows)
    model = trainer.model.eval()
    out, same, count = [], 0, 0
    with torch.inference_mode():
        for clip in tqdm(corpus.clips, desc="align", mininterval=10):
            before, frames = targets.of(clip)
            out.append(labels(corpus.wav(clip, RATE), clip, model(frames[None].to(args.device))[0][0].float().cpu()))
            same, count = same + int((torch.from_numpy(out[-1]) == before).sum()), count + len(before)
    tensors = {"unit": torch.from_numpy(np.concatenate(out)), "start": torch.from_numpy(targets.starts)}
    save_tensors(args.target / "frames.safetensors", tensors)
    print(f"realign: {100 * same / count:.1f} % of frames keep their unit")
