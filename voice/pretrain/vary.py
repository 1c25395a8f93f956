"""Other rooms, other throats: how a clip is changed before a student hears it, so that strangers come as no surprise.

Changes of the wave: speed (pitch and formants move with it; Ko et al. 2015), a room, another voice behind, noise.
Changes of the mel frames: formants alone (vocal tract length perturbation, Jaitly and Hinton 2013) and masked bands and
spans (SpecAugment, Park et al. 2019). A fixed filter or tilt changes nothing, as every band's mean is taken away.
"""

from __future__ import annotations

import math
import random
import warnings

import librosa
import numpy as np
import torch
from torch.nn import functional as F

from voice.nets.hubert import HOP, MEL_HOP, MEL_WINDOW, RATE, MelFront

# Each at strength 1; a strength below narrows all of them.
SPEED = 0.2  # natural logarithm of the largest change of speed
WARPS = np.linspace(0.85, 1.15, 13)  # factors on the frequency of every formant; the middle one is 1
BAND_MASKS, WIDEST_BAND = 2, 14  # of 80 mel bands
LONGEST_SPAN = 10  # mel frames of 10 ms


def room(wav: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """wav [N] in a room of 0.1 to 0.6 s: the sound itself and a tail of decaying noise behind it."""
    size = int(RATE * 0.35)
    decay = torch.exp(-6.9 * torch.arange(size) / (RATE * rng.uniform(0.1, 0.6)))
    tail = torch.from_numpy(np.random.default_rng(rng.randrange(2**31)).standard_normal(size, dtype=np.float32)) * decay
    tail[: RATE // 400] = 0
    tail = tail / tail.square().sum().sqrt() * 10 ** rng.uniform(-1.0, -0.15)
    tail[0] = 1.0
    length = len(wav) + size
    return torch.fft.irfft(torch.fft.rfft(wav, length) * torch.fft.rfft(tail, length), length)[: len(wav)]


def coloured(size: int, rng: random.Random) -> torch.Tensor:
    """Noise [size] of unit power whose spectrum falls or rises by a random slope."""
    dice = np.random.default_rng(rng.randrange(2**31))
    shape = torch.fft.rfft(torch.from_numpy(dice.standard_normal(size, dtype=np.float32)))
    shape = shape * torch.arange(1, len(shape) + 1).float() ** rng.uniform(-1.0, 0.2)
    noise = torch.fft.irfft(shape, size)
    return noise / noise.square().mean().sqrt()


def vary(
    wav: torch.Tensor, other: torch.Tensor | None, rng: random.Random, strength: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """wav [N] -> changed wav [M], and for each of its M // HOP frames the frame of `wav` that it shows, int64.

    `other` is somebody else's speech; it sounds quietly behind now and then. `strength` scales how often and how far.
    """
    speed = math.exp(rng.uniform(-SPEED, SPEED) * strength)
    frames = len(wav) // HOP
    wav = F.interpolate(wav[None, None], size=max(HOP, int(len(wav) / speed)), mode="linear")[0, 0]
    place = ((torch.arange(len(wav) // HOP) + 0.5) * speed).long().clamp(max=max(0, frames - 1))
    level = wav.square().mean().sqrt()
    if rng.random() < 0.3 * strength:
        wav = room(wav, rng)
    if other is not None and rng.random() < 0.15 * strength:
        behind = other.repeat(-(-len(wav) // len(other)))[: len(wav)]
        behind = behind / behind.square().mean().sqrt().clamp(min=1e-4)
        wav = wav + behind * level * 10 ** rng.uniform(-1.25, -0.4)
    if rng.random() < 0.4 * strength:
        wav = wav + coloured(len(wav), rng) * level * 10 ** rng.uniform(-2.0, -0.5)
    return wav, place


class VariedFront(MelFront):
    """The log-mel front with formants moved and bands and spans masked in training mode; else the front itself.

    Same parameters and buffers, so its state is the state of a MelFront.
    """

    def __init__(self, mels: int, channels: int, centre: bool, strength: float = 1.0) -> None:
        super().__init__(mels, channels, centre)
        self.strength = strength
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # bands moved above 8 kHz hear nothing
            rates = [RATE / warp for warp in WARPS]
            banks = [librosa.filters.mel(sr=r, n_fft=MEL_WINDOW, n_mels=mels, fmin=20.0, fmax=7800.0) for r in rates]
        self.register_buffer("banks", torch.from_numpy(np.stack(banks)), persistent=False)
        self.banks: torch.Tensor

    def forward(self, wav: torch.Tensor) -> torch.Tensor:
        """[B, N] -> [B, channels, T]; random numbers come from torch's CPU generator."""
        if not self.training:
            return super().forward(wav)
        frames = wav.float().unfold(-1, MEL_WINDOW, MEL_HOP) * self.window
        spectrum = torch.fft.rfft(frames).abs().square()
        middle = len(self.banks) // 2
        reach = round(middle * self.strength)
        chosen = self.banks[torch.randint(middle - reach, middle + reach + 1, (len(wav),)).to(self.banks.device)]
        power = spectrum @ chosen.transpose(1, 2)
        mel = (torch.log(power + 1e-5) + 8.0) / 3.3
        if self.centre:
            sound = (power.sum(-1, keepdim=True) > 1e-4).to(mel.dtype)
            mel = (mel - (mel * sound).sum(1, keepdim=True) / sound.sum(1, keepdim=True).clamp(min=1)) * sound
        mel = mel * masks(mel.shape[0], mel.shape[1], mel.shape[2], self.strength).to(mel.device)
        return F.gelu(self.conv_2(F.gelu(self.conv_1(mel.transpose(1, 2)))))


def masks(rows: int, frames: int, bands: int, strength: float) -> torch.Tensor:
    """Zeros where mel frames are hidden: [rows, frames, bands] float32, about one span a second of 10 ms frames."""
    keep = torch.ones(rows, frames, bands)
    for row in keep:
        for width in torch.randint(round(WIDEST_BAND * strength) + 1, (BAND_MASKS,)).tolist():
            first = int(torch.randint(bands - width + 1, ()))
            row[:, first : first + width] = 0
        for length in torch.randint(round(LONGEST_SPAN * strength) + 1, (frames // 100,)).tolist():
            first = int(torch.randint(frames, ()))
            row[first : first + length] = 0
    return keep
