"""Training steps of an s2 whose latents analysis gives (`voice.nets.envelope`): prior, flow and reference encoder.

The latent of a sound is known before training, so nothing is decoded in a step: the flow makes latents likely under
the prior (the KL term of the published recipe, with a posterior that stands still), and the path of synthesis, the
inverse flow of the prior's mean, is drawn to the latent itself. Steps cost a tenth of those through a decoder.
A judge of texture may join, which keeps the drawn path from the blur of a mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn import functional as F

from voice.errors import UserError
from voice.mel import linear_spectrogram
from voice.nets import losses
from voice.nets.acoustic import Acoustic
from voice.nets.envelope import EnvelopeDecoder
from voice.nets.layers import length_mask
from voice.nets.texture import Texture, picture, texture_loss
from voice.train.acoustic import RESOLUTIONS
from voice.train.acoustic_parts import guide, slices
from voice.train.batching import pad_right
from voice.train.corrupt import corrupted, nearest
from voice.train.frozen import choose_trainable
from voice.train.kept import KeptBest

SIGMA = 0.1  # spread of the posterior around what analysis gives
PITCH, VOICING = 3.0, 2.0  # their weights beside cepstra, which weigh as they spread
SEEN = 64  # latent frames of each utterance that the judge of texture sees a step
JUDGE_RATE = 2e-4
WARM = 100  # steps over which its word comes to count


@dataclass(frozen=True)
class Spoken:
    """What s2 learns from: audio [2n * hop] float32, tokens [n], phones [P] (int64), F0 in Hz [4n] (0 = unvoiced).

    `spoken` is the index of the phone spoken at each token [n], where known. `other` is audio [M] of the same
    speaker that the reference encoder hears in place of `wav`.
    """

    wav: torch.Tensor
    codes: torch.Tensor
    phones: torch.Tensor
    f0: torch.Tensor
    spoken: torch.Tensor | None = None
    other: torch.Tensor | None = None


@dataclass(frozen=True)
class LatentWeights:
    """Weights of the losses: KL a value of the latent, distance of the prior's path, attention of MRTE, mel, texture.

    `adversarial` and `feature` weigh what the judge says of the prior's path, and how its layers tell it from the
    latent; at 0 both there is no judge. `mel` is for audio decoded from the latent itself, cut to slices; at 0 nothing
    is decoded, as in the base, whose decoder was trained before.
    """

    kl: float = 1.0
    prior: float = 2.0
    guide: float = 0.0
    mel: float = 0.0
    adversarial: float = 0.0
    feature: float = 0.0

    @property
    def judged(self) -> bool:
        """Whether a judge takes part."""
        return self.adversarial > 0 or self.feature > 0


class Drawn(NamedTuple):
    """A batch's latents and what the path of synthesis makes of them [B, inter, T], and their lengths [B]."""

    latent: torch.Tensor
    guess: torch.Tensor
    lengths: torch.Tensor


class LatentTrainer(KeptBest):
    """Steps and validation; the loop is in `voice.train.loop`."""

    def __init__(
        self,
        model: Acoustic,
        batch: Callable[[int], list[Spoken]],
        held: Sequence[Spoken],
        weights: LatentWeights,
        rate: Callable[[int], float],
        *,
        trainable: Sequence[str] = ("enc_p", "flow", "ref_enc"),
        judge: Texture | None = None,
        corrupt: float = 0.0,
        segment_frames: int = 64,
        device: str = "cpu",
        autocast: bool = True,
    ) -> None:
        """`judge` is where one starts from when the weights ask for one; it is trained along.

        Up to `corrupt` of an utterance's tokens are wrong ones in training.
        """
        if not isinstance(model.dec, EnvelopeDecoder):
            raise UserError("this s2 has no latents by analysis", "train it through its decoder")
        self.model, self.code = model.to(device), model.dec.code
        self.batch, self.held, self.weights, self.rate = batch, held, weights, rate
        self.segment, self.device, self.autocast = segment_frames, device, autocast
        self.corrupt = corrupt
        self.near = nearest(model.quantiser.embed) if corrupt else None
        self.trained = choose_trainable(model, trainable)
        self.optimiser = torch.optim.AdamW(self.trained, lr=1e-4, betas=(0.9, 0.98), eps=1e-9)
        if weights.judged:
            self.judge = (judge or Texture()).to(device).train()
            self.judging = torch.optim.AdamW(self.judge.parameters(), lr=JUDGE_RATE, betas=(0.8, 0.99))
            self.parts = ("model", "optimiser", "judge", "judging")
        spread = self.code.spread.clone()
        spread[: self.code.cepstra] /= spread[: self.code.cepstra].mean()
        spread[-2:] = torch.tensor([PITCH, VOICING], device=spread.device)
        self.importance = spread.repeat(2)[:, None]

    def _found(self, items: list[Spoken]) -> tuple[dict[str, torch.Tensor], Drawn]:
        c = self.model.config
        wav, _ = pad_right([item.wav for item in items])
        f0, _ = pad_right([item.f0 for item in items])
        codes, counts = pad_right([item.codes for item in items])
        phones, phone_counts = pad_right([item.phones for item in items])
        heard, heard_counts = pad_right([item.wav if item.other is None else item.other for item in items])
        codes, phones, phone_counts = codes.to(self.device), phones.to(self.device), phone_counts.to(self.device)
        lengths = (2 * counts).to(self.device)
        mask = length_mask(lengths, int(lengths.max()))
        if self.model.training and self.corrupt:
            codes = corrupted(codes, c.codes, self.corrupt, self.near)
        with torch.no_grad():
            latent = self.code.encode(wav.to(self.device), f0.to(self.device)) * mask
            spec = linear_spectrogram(heard.to(self.device), c.n_fft, c.hop, c.win)
        noisy = (latent + SIGMA * torch.randn_like(latent)) * mask
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            ge = self.model.reference(spec, (heard_counts // c.hop).to(self.device))
            z_p = self.model.flow(noisy, mask, ge)
            mean, logs, _, looked = self.model.enc_p(self.model.expand(codes), lengths, phones, phone_counts, ge)
            guess = self.model.flow(mean * mask, mask, ge, reverse=True)
        sure = torch.full_like(latent, SIGMA).log()
        kl = losses.kl_loss(z_p, sure, mean, logs, mask) / c.inter
        away = ((guess.float() - latent).abs() * self.importance * mask).sum() / (mask.sum() * c.inter)
        looked_at = guide(looked, [item.spoken for item in items]) if self.weights.guide else kl.new_zeros(())
        terms = {"kl": kl, "prior": away, "guide": looked_at}
        if self.weights.mel:
            terms["mel"] = self._decoded(wav.to(self.device), noisy, lengths)
        return terms, Drawn(latent, guess.float(), lengths)

    def _decoded(self, wav: torch.Tensor, latent: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Mel distance of slices decoded from the latent [B, inter, T] to those of the audio [B, N]."""
        c = self.model.config
        starts, size = self._pieces(lengths, self.segment)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            made = self.model.dec(slices(latent, starts, size))[:, 0]
        real = slices(wav[:, None], starts * c.hop, size * c.hop)[:, 0]
        return losses.mel_loss(made.float(), real, c.sample_rate, RESOLUTIONS)

    def _pieces(self, lengths: torch.Tensor, most: int) -> tuple[torch.Tensor, int]:
        """Where a piece of each utterance begins [B], anywhere, and the size of all: `most` frames, or the shortest."""
        size = min(most, int(lengths.min()))
        return (torch.rand(len(lengths), device=self.device) * (lengths - size + 1)).long(), size

    def _judged(self, path: Drawn) -> dict[str, torch.Tensor]:
        """Teach the judge by pieces of latents and of the prior's path, then ask it: `adversarial` and `feature`."""
        starts, size = self._pieces(path.lengths, SEEN)
        real = picture(self.code, slices(path.latent, starts, size))
        fake = picture(self.code, slices(path.guess, starts, size))
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            loss = losses.discriminator_loss(self.judge(real), self.judge(fake.detach()))
        self.judging.zero_grad()
        loss.backward()
        self.judging.step()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            with torch.no_grad():
                known = self.judge(real)
            said = self.judge(fake)
        return {"adversarial": losses.adversarial_loss(said), "feature": texture_loss(known[0], said[0])}

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        (terms, path), w, rate = self._found(self.batch(number)), self.weights, self.rate(number)
        loss = w.kl * terms["kl"] + w.prior * terms["prior"] + w.guide * terms["guide"] + w.mel * terms.get("mel", 0)
        if w.judged:
            terms |= (said := self._judged(path))
            said_in_all = w.adversarial * said["adversarial"] + w.feature * said["feature"]
            loss = loss + min(1.0, number / WARM) * said_in_all
        self.optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.trained, 5.0)
        if torch.isfinite(norm):
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.optimiser.step()
        return {name: term.item() for name, term in terms.items()} | {"loss": loss.item(), "gradient": norm.item()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Distance of the prior's path on held-out utterances, and their KL."""
        if not self.held:
            return {}
        self.model.eval()
        state = torch.random.get_rng_state()
        torch.manual_seed(0)
        found = [self._found([item])[0] for item in self.held]
        torch.random.set_rng_state(state)
        return {
            "loss": sum(float(terms["prior"]) for terms in found) / len(found),
            "kl": sum(float(terms["kl"]) for terms in found) / len(found),
        }


def spoken(
    wav: torch.Tensor, codes: torch.Tensor, phones: torch.Tensor, f0: torch.Tensor, hop: int,
    at: torch.Tensor | None = None, other: torch.Tensor | None = None,
) -> Spoken:  # fmt: skip
    """Audio [N] and its F0 [about N / (hop / 2)] cut or zero-padded to exactly 2 * hop samples a token."""
    size, frames = 2 * hop * len(codes), 4 * len(codes)
    wav = F.pad(wav, (0, max(0, size - len(wav))))[:size]
    return Spoken(wav, codes, phones, F.pad(f0, (0, max(0, frames - len(f0))))[:frames], at, other)
