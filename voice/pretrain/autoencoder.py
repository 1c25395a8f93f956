"""First phase of the acoustic base: spectrogram -> latent -> audio, before there are tokens.

Trains the posterior encoder, the reference encoder and the decoder against a standard normal prior, so that the
second phase (`voice.pretrain.acoustic`) starts with a decoder that already speaks. It needs no content encoder and can
run beside its training.
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import torch

from voice.f0 import f0_track
from voice.mel import linear_spectrogram
from voice.nets import losses
from voice.nets.acoustic import Acoustic
from voice.pretrain.corpus import LONGEST_S, RATES, Clip, Corpus
from voice.pretrain.kept import Kept
from voice.pretrain.warm import warm_start
from voice.train.acoustic import RESOLUTIONS, decode
from voice.train.frozen import choose_trainable
from voice.train.loop import train, write_history
from voice.train.schedule import warm_cosine

RATE = RATES[0]
SECONDS = 1.28
BUDGET_S = 20.48  # seconds of audio a step
CLEAN = ("synthetic", "read sentence")
CONNECTED = (*CLEAN, "accented English")


def usable(corpus: Corpus, kinds: tuple[str, ...] = CLEAN, longest: float = LONGEST_S) -> list[Clip]:
    """Clips of some kinds, 1 to `longest` seconds, with a plausible number of phones a second."""
    fit = [c for c in corpus.clips if c.kind in kinds and 1 < c.seconds < longest]
    return [c for c in fit if 4 < len(c.phones) / c.seconds < 25]


class AutoencoderTrainer(Kept):
    """Mel and KL steps on random crops of `SECONDS`."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.steps, self.rate, self.seed, self.device = args.steps, args.rate, args.seed, torch.device(args.device)
        torch.manual_seed(args.seed)
        self.model = Acoustic().to(self.device)
        self.corpus, self.crops = Corpus(args.arrays), max(1, round((args.budget or BUDGET_S) / SECONDS))
        self.clips = [c for c in usable(self.corpus, longest=args.longest) if c.seconds > SECONDS]
        # The rest waits for tokens and must not be counted as trained.
        trained = choose_trainable(self.model, ["enc_q", "ref_enc", "dec"])
        self.optimiser = torch.optim.AdamW(trained, lr=args.rate, betas=(0.8, 0.99))

    def _crops(self, number: int) -> torch.Tensor:
        rng = random.Random(self.seed * 17 + number)
        size = int(SECONDS * RATE)
        rows = []
        for clip in rng.sample(self.clips, min(self.crops, len(self.clips))):
            wav = self.corpus.wav(clip, RATE)
            start = rng.randrange(len(wav) - size + 1)
            rows.append(torch.from_numpy(wav[start : start + size]))
        return torch.stack(rows)

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        c = self.model.config
        crops = self._crops(number)
        f0 = torch.stack([torch.from_numpy(f0_track(row.numpy(), RATE, c.hop // 2)) for row in crops]).to(self.device)
        wav = crops.to(self.device)
        spec = linear_spectrogram(wav, c.n_fft, c.hop, c.win)
        mask = torch.ones(len(wav), 1, spec.shape[2], device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            ge = self.model.reference(spec)
            assert self.model.enc_q is not None  # made with its posterior, above
            z, mean, logs = self.model.enc_q(spec, mask, ge.detach())
            audio, pitch = decode(self.model.dec, z, ge, f0)
        mel = losses.mel_loss(audio[:, 0].float(), wav, c.sample_rate, RESOLUTIONS)
        kl = losses.kl_loss(z, logs, torch.zeros_like(mean), torch.zeros_like(logs), mask)
        loss = 45 * mel + 0.2 * kl + 10 * pitch
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.optimiser.param_groups[0]["params"], 100.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * warm_cosine(number, self.steps, floor=0.3)
        self.optimiser.step()
        return {
            "loss": float(loss.detach()),
            "mel": float(mel.detach()),
            "kl": float(kl.detach()),
            "pitch": float(pitch.detach()),
        }

    def validate(self) -> dict[str, float]:
        return {}


def run(args: argparse.Namespace) -> None:
    """Train and write `work/autoencoder.safetensors` (an Acoustic file whose prior is untrained)."""
    trainer = AutoencoderTrainer(args)
    if args.start is not None:
        warm_start(trainer.model, args.start / "acoustic.safetensors")
    options: dict[str, Any] = {"log_every": 50, "save_every": 200, "minutes": args.minutes, "desc": "autoencoder"}
    history = train(trainer, args.steps, args.work / "autoencoder", seed=args.seed, **options)
    trainer.model.save(args.work / "autoencoder.safetensors")
    write_history(args.work / "autoencoder.loss.tsv", history.rows)
