"""First phase of the acoustic base: the decoder, from latents that analysis gives to audio.

It needs neither tokens nor text. Latents are blurred a little, as the prior's will be. The last part of the steps
(`--judged`) has judges of spectra, which are not kept.
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import numpy as np
import torch

from voice.nets import losses
from voice.nets.acoustic import Acoustic
from voice.nets.envelope import EnvelopeDecoder
from voice.nets.spectra import Spectra
from voice.nets.texture import texture_loss
from voice.pretrain.corpus import LONGEST_S, Clip, Corpus
from voice.pretrain.pitch import HOP, RATE, Pitch
from voice.pretrain.warm import warm_start
from voice.train.acoustic import RESOLUTIONS
from voice.train.kept import Kept
from voice.train.loop import train, write_history
from voice.train.schedule import warm_cosine

SECONDS = 1.28
BUDGET_S = 20.48  # seconds of audio a step
BLUR = 0.1
CLEAN = ("synthetic", "read sentence")
CONNECTED = (*CLEAN, "accented English")
MEL, ADVERSARIAL, FEATURE = 3.0, 0.3, 0.5  # weights of the losses when there are judges
SEEN, SEEN_CROPS = 64, 4  # latent frames and crops a step that judges hear
JUDGE_RATE = 2e-4
WARM = 100  # steps over which their word comes to count
FITTED = 400  # clips that mean and spread of the latent are taken from


def usable(corpus: Corpus, kinds: tuple[str, ...] = CLEAN, longest: float = LONGEST_S) -> list[Clip]:
    """Clips of some kinds, 1 to `longest` seconds, with a plausible number of phones a second."""
    fit = [c for c in corpus.clips if c.kind in kinds and 1 < c.seconds < longest]
    return [c for c in fit if 4 < len(c.phones) / c.seconds < 25]


class EnvelopeTrainer(Kept):
    """Mel steps on random crops of `SECONDS`, the last ones with judges."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.steps, self.rate, self.seed, self.device = args.steps, args.rate, args.seed, torch.device(args.device)
        torch.manual_seed(args.seed)
        acoustic = Acoustic()
        if args.start is not None:
            warm_start(acoustic, args.start / "acoustic.safetensors", ("dec",))
        assert isinstance(acoustic.dec, EnvelopeDecoder)
        self.sizes, self.model = acoustic.config, acoustic.dec.to(self.device)
        self.corpus, self.crops = Corpus(args.arrays), max(1, round((args.budget or BUDGET_S) / SECONDS))
        self.pitch = Pitch(args.work, self.corpus)
        self.clips = [c for c in usable(self.corpus, longest=args.longest) if c.seconds > SECONDS + 0.1]
        if args.start is None:
            self._fit()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=args.rate, betas=(0.8, 0.99))
        self.plain = args.steps - round(args.judged * args.steps)
        if self.plain < args.steps:
            self.judges = Spectra().to(self.device)
            self.judging = torch.optim.AdamW(self.judges.parameters(), lr=JUDGE_RATE, betas=(0.8, 0.99))
            self.parts = ("model", "optimiser", "judges", "judging")

    @torch.no_grad()
    def _fit(self) -> None:
        """Mean and spread of the values of the latent."""
        found = []
        for clip in random.Random(self.seed).sample(self.clips, min(FITTED, len(self.clips))):
            f0 = torch.from_numpy(self.pitch.of(clip))[None]
            wav = torch.from_numpy(self.corpus.wav(clip, RATE))[None]
            found.append(self.model.code.cpu().analyse(wav, f0)[0])
        values = torch.cat(found, dim=1)
        self.model.code.mean.copy_(values.mean(1))
        self.model.code.spread.copy_(values.std(1).clamp(min=1e-3))
        self.model.to(self.device)

    def crop(self, clip: Clip, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
        """Audio of `SECONDS` and its F0."""
        size = int(SECONDS * RATE) // HOP
        f0 = self.pitch.of(clip)
        start = rng.randrange(len(f0) - size)
        return self.corpus.wav(clip, RATE)[start * HOP : (start + size) * HOP], f0[start : start + size]

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        rng = random.Random(self.seed * 17 + number)
        pairs = [self.crop(clip, rng) for clip in rng.sample(self.clips, min(self.crops, len(self.clips)))]
        wav = torch.from_numpy(np.stack([wav for wav, _ in pairs])).to(self.device)
        f0 = torch.from_numpy(np.stack([f0 for _, f0 in pairs])).to(self.device)
        with torch.no_grad():
            latent = self.model.code.encode(wav, f0)
            latent = latent + BLUR * torch.randn_like(latent) * torch.rand(len(latent), 1, 1, device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            audio = self.model(latent)[:, 0]
        mel = losses.mel_loss(audio.float(), wav, self.sizes.sample_rate, RESOLUTIONS)
        terms, loss = {"loss": mel}, mel
        if number > self.plain:
            terms |= (said := self._judged(wav, audio.float()))
            trust = min(1.0, (number - self.plain) / WARM)
            loss = MEL * mel + trust * (ADVERSARIAL * said["adversarial"] + FEATURE * said["feature"])
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * warm_cosine(number, self.steps, floor=0.1)
        self.optimiser.step()
        return {name: float(term.detach()) for name, term in terms.items()}

    def _judged(self, real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
        """Teach the judges by pieces of audio [B, N] and of what the decoder made of it, then ask them."""
        size = min(SEEN * self.sizes.hop, real.shape[1])
        start = int(torch.randint(real.shape[1] - size + 1, ()))
        real, fake = (part[:SEEN_CROPS, start : start + size] for part in (real, fake))
        with torch.autocast(self.device.type, torch.bfloat16):
            loss = losses.discriminator_loss(self.judges(real), self.judges(fake.detach()))
        self.judging.zero_grad()
        loss.backward()
        self.judging.step()
        with torch.autocast(self.device.type, torch.bfloat16):
            with torch.no_grad():
                known = self.judges(real)
            said = self.judges(fake)
        feature = torch.stack([texture_loss(a, b) for a, b in zip(known, said, strict=True)]).mean()
        return {"adversarial": losses.adversarial_loss(said), "feature": feature, "judging": loss.detach()}

    def validate(self) -> dict[str, float]:
        return {}


def run(args: argparse.Namespace) -> None:
    """Train and write `work/envelope.safetensors` (an Acoustic file of which the decoder alone is trained)."""
    trainer = EnvelopeTrainer(args)
    options: dict[str, Any] = {"log_every": 25, "save_every": 100, "minutes": args.minutes, "desc": "envelope"}
    history = train(trainer, args.steps, args.work / "envelope", seed=args.seed, **options)
    model = Acoustic()
    model.dec.load_state_dict(trainer.model.state_dict())
    model.save(args.work / "envelope.safetensors")
    write_history(args.work / "envelope.loss.tsv", history.rows)
