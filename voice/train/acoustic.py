"""Training steps of s2, for the base and for a voice: mel, KL, prior, adversarial and feature losses.

The options of the published recipe are here too (specification 3.9): a slower text side, speaker embeddings, its mel
loss, and no prior loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from voice.errors import UserError
from voice.f0 import f0_track
from voice.mel import linear_spectrogram, log_mel, mel_from_linear
from voice.nets import losses
from voice.nets.acoustic import Acoustic
from voice.nets.discriminator import Discriminator
from voice.nets.generator import HarmonicDecoder
from voice.nets.layers import length_mask
from voice.nets.lora import add_lora
from voice.train.acoustic_parts import guide, rate_groups, slices, speakers
from voice.train.batching import pad_right
from voice.train.corrupt import corrupted, nearest
from voice.train.frozen import choose_trainable
from voice.train.kept import KeptBest

RESOLUTIONS = ((512, 40), (1024, 80), (2048, 128))


@dataclass(frozen=True)
class Utterance:
    """What s2 trains on: audio [2n * hop] float32, tokens [n], phones [P] (int64), F0 in Hz [4n] (0 = unvoiced).

    `spoken` is the index of the phone spoken at each token [n], where known; `speaker` [width] float32 the speaker
    embedding that the networks of v2Pro and v2ProPlus need (20480 wide there).
    """

    wav: torch.Tensor
    codes: torch.Tensor
    phones: torch.Tensor
    f0: torch.Tensor
    spoken: torch.Tensor | None = None
    speaker: torch.Tensor | None = None


@dataclass(frozen=True)
class AcousticWeights:
    """Weights of the losses.

    `prior` is the mel loss of audio decoded from the prior's mean, the path of synthesis; at 0, as published, that
    audio is not made, which saves half of the decoder's work. `pitch` belongs to decoders that have their own F0 (mean
    absolute error of log F0 where voiced, and cross-entropy of voicing); `guide` asks MRTE to look at the phone being
    spoken.
    """

    mel: float = 45.0
    kl: float = 1.0
    prior: float = 22.5
    adversarial: float = 1.0
    feature: float = 1.0
    pitch: float = 10.0
    guide: float = 0.0


def utterance(
    wav: torch.Tensor,
    codes: torch.Tensor,
    phones: torch.Tensor,
    rate: int,
    hop: int,
    spoken: torch.Tensor | None = None,
    speaker: torch.Tensor | None = None,
) -> Utterance:
    """Audio [N] at `rate` cut or zero-padded to exactly 2 * hop samples a token, with its F0 track."""
    size = 2 * hop * len(codes)
    wav = F.pad(wav, (0, max(0, size - len(wav))))[:size]
    return Utterance(wav, codes, phones, torch.from_numpy(f0_track(wav.numpy(), rate, hop // 2)), spoken, speaker)


def decode(dec: nn.Module, z: torch.Tensor, ge: torch.Tensor, f0: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Audio [B, 1, N] of latent z, and the F0 loss (0 for a decoder without its own F0).

    The measured f0 [B, F] drives the pulses, so a wrong F0 of the network does not blur its envelopes.
    """
    if not isinstance(dec, HarmonicDecoder):
        return dec(z, ge), z.new_zeros(())
    hidden = dec.frames(z, ge)
    return dec.render(hidden, f0), losses.pitch_loss(*dec.pitch(hidden), f0)


class Made(NamedTuple):
    """What one batch gives: decoded audio [B or 2B, 1, N], prior after posterior, real audio [B, 1, N], loss terms."""

    audio: torch.Tensor
    real: torch.Tensor
    terms: dict[str, torch.Tensor]


class AcousticTrainer(KeptBest):
    """One optimiser step a call; the discriminator joins when given and `adversarial_from` is reached.

    - `text_rate` is the share of the learning rate that the text side gets (published 0.4; 1 is one rate for all)
    - `mel` "multi" compares log mels at three resolutions; "published" at the one of the network's own spectrogram
    - `lora_rank` above 0 trains adapters on the layers that `trainable` names, and nothing else of the generator
    - up to `corrupt` of an utterance's tokens are wrong ones in training
    """

    def __init__(
        self,
        model: Acoustic,
        discriminator: Discriminator | None,
        batch: Callable[[int], list[Utterance]],
        held: Sequence[Utterance],
        weights: AcousticWeights,
        rate: Callable[[int], float],
        *,
        trainable: Sequence[str] = ("",),
        segment_frames: int = 32,
        adversarial_from: int = 0,
        device: str = "cpu",
        autocast: bool = True,
        text_rate: float = 1.0,
        mel: Literal["multi", "published"] = "multi",
        lora_rank: int = 0,
        corrupt: float = 0.0,
    ) -> None:
        if mel not in ("multi", "published"):
            raise ValueError(f"unknown mel loss {mel!r}")
        if model.enc_q is None:
            raise UserError(
                "these s2 weights hold no posterior encoder", "train from a base, not from an exported voice"
            )
        self.model, self.discriminator = model.to(device), discriminator
        self.posterior = model.enc_q
        self.batch, self.held, self.weights, self.rate = batch, held, weights, rate
        self.segment, self.adversarial_from = segment_frames, adversarial_from
        self.device, self.autocast, self.mel = device, autocast, mel
        self.corrupt = corrupt
        self.near = nearest(model.quantiser.embed) if corrupt else None
        self.trained = add_lora(model, trainable, lora_rank) if lora_rank else choose_trainable(model, trainable)
        groups = rate_groups(model, text_rate)
        self.optimiser = torch.optim.AdamW(groups, lr=1e-4, betas=(0.8, 0.99), eps=1e-9)
        self.judge = None
        if discriminator is not None:
            discriminator.to(device)
            self.judge = torch.optim.AdamW(discriminator.parameters(), lr=1e-4, betas=(0.8, 0.99), eps=1e-9)

    def _forward(self, items: list[Utterance]) -> Made:
        c = self.model.config
        wav, _ = pad_right([item.wav for item in items])
        codes, counts = pad_right([item.codes for item in items])
        phones, phone_counts = pad_right([item.phones for item in items])
        wav, codes, phones = wav.to(self.device), codes.to(self.device), phones.to(self.device)
        lengths, phone_counts = (2 * counts).to(self.device), phone_counts.to(self.device)
        if self.model.training and self.corrupt:
            codes = corrupted(codes, c.codes, self.corrupt, self.near)
        spec = linear_spectrogram(wav, c.n_fft, c.hop, c.win)
        speaker = speakers([item.speaker for item in items])
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            ge = self.model.reference(spec, lengths, None if speaker is None else speaker.to(self.device))
            mask = length_mask(lengths, spec.shape[2])
            z, _, logs_q = self.posterior(spec, mask, ge.detach())
            z_p = self.model.flow(z, mask, ge)
            mean_p, logs_p, _, looked = self.model.enc_p(self.model.expand(codes), lengths, phones, phone_counts, ge)
            latents = [z]
            if self.weights.prior:
                latents.append(self.model.flow(mean_p * mask, mask, ge, reverse=True) * mask)
            times = len(latents)
            size = min(self.segment, int(lengths.min()))
            starts = (torch.rand(len(items), device=self.device) * (lengths - size + 1)).long()
            cut = torch.cat([slices(latent, starts, size) for latent in latents])
            f0, _ = pad_right([item.f0 for item in items])
            f0 = slices(f0[:, None].to(self.device), 2 * starts, 2 * size)[:, 0].repeat(times, 1)
            audio, pitch = decode(self.model.dec, cut, ge.repeat(times, 1, 1), f0)
        real = slices(wav[:, None], starts * c.hop, size * c.hop)
        kl = losses.kl_loss(z_p, logs_q, mean_p, logs_p, mask)
        target = slices(spec, starts, size) if self.mel == "published" else None
        audio = audio.float()
        mels = [self._mel(part[:, 0], real[:, 0], target) for part in audio.split(len(items))]
        terms = {"kl": kl, "pitch": pitch, "guide": guide(looked, [item.spoken for item in items]), "mel": mels[0]}
        if times == 2:
            terms["mel_prior"] = mels[1]
        return Made(audio, real, terms)

    def _mel(self, fake: torch.Tensor, real: torch.Tensor, spec: torch.Tensor | None) -> torch.Tensor:
        """Log-mel distance of audio [B, N], or of its mel and that of the frames spec [B, bins, T] cut for it.

        The target is then cut from the whole spectrogram, as published: its edge frames know what lies beyond.
        """
        c = self.model.config
        if spec is None:
            return losses.mel_loss(fake, real, c.sample_rate, RESOLUTIONS)
        target = mel_from_linear(spec, c.sample_rate, c.mels)
        return (log_mel(fake, c.sample_rate, c.n_fft, c.hop, c.win, c.mels) - target).abs().mean()

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        rate, w = self.rate(number), self.weights
        audio, real, terms = self._forward(self.batch(number))
        logs: dict[str, float] = {}
        adversarial = self.discriminator is not None and number >= self.adversarial_from
        if adversarial:
            logs["discriminator"] = self._judge_step(real, audio.detach(), rate)
        loss = w.mel * terms["mel"]
        if "mel_prior" in terms:
            loss = loss + w.prior * terms["mel_prior"]
        loss = loss + w.kl * terms["kl"] + w.pitch * terms["pitch"]
        if w.guide:
            loss = loss + w.guide * terms["guide"]
        else:
            del terms["guide"]
        logs |= {name: term.item() for name, term in terms.items()}
        if adversarial and self.discriminator is not None:
            with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
                judged_fake, judged_real = self.discriminator(audio), self.discriminator(real)
            times = len(audio) // len(real)
            judged_real = [[torch.cat([m] * times) for m in maps] for maps in judged_real]
            feature = losses.feature_loss(judged_real, judged_fake)
            fooling = losses.adversarial_loss(judged_fake)
            loss = loss + w.feature * feature + w.adversarial * fooling
            logs |= {"feature": feature.item(), "adversarial": fooling.item()}
        self.optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.trained, 100.0)
        if torch.isfinite(norm):
            for group in self.optimiser.param_groups:
                group["lr"] = rate * group.get("factor", 1.0)
            self.optimiser.step()
        return logs | {"loss": loss.item(), "gradient": norm.item()}

    def _judge_step(self, real: torch.Tensor, fake: torch.Tensor, rate: float) -> float:
        assert self.discriminator is not None and self.judge is not None
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            judged_real, judged_fake = self.discriminator(real), self.discriminator(fake)
        loss = losses.discriminator_loss(judged_real, judged_fake)
        self.judge.zero_grad()
        loss.backward()
        for group in self.judge.param_groups:
            group["lr"] = rate
        self.judge.step()
        return loss.item()

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Log-mel distance of held-out utterances resynthesised from their tokens and phones, noise 0.

        At three resolutions whatever `mel` is, so that runs can be compared.
        """
        if not self.held:
            return {}
        self.model.eval()
        total = 0.0
        c = self.model.config
        for item in self.held:
            wav = item.wav[None].to(self.device)
            speaker = None if item.speaker is None else item.speaker[None].to(self.device)
            ge = self.model.reference(linear_spectrogram(wav, c.n_fft, c.hop, c.win), speaker=speaker)
            audio = self.model.decode(item.codes[None].to(self.device), item.phones[None].to(self.device), ge, 0.0)
            total += float(losses.mel_loss(audio[:, 0], wav, c.sample_rate, RESOLUTIONS))
        return {"loss": total / len(self.held)}

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        if self.discriminator is not None and self.judge is not None:
            state |= {"discriminator": self.discriminator.state_dict(), "judge": self.judge.state_dict()}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.discriminator is not None and self.judge is not None and "discriminator" in state:
            self.discriminator.load_state_dict(state["discriminator"])
            self.judge.load_state_dict(state["judge"])
