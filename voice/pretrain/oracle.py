"""Where speech is lost on the way through the networks: recordings remade with ever less of the truth.

For each utterance of `--recordings`, from the base in `--listeners` (its first):
- real: the recording, at the rate of s2
- latent: its own latent, by analysis or from the posterior encoder, and the decoder (what decoder and reference can do)
- tokens: its own tokens, its text (copy-synthesis: what tokens and prior lose besides)
- said: its text alone (what s1 loses besides)

The condition of the speaker comes from one other utterance, as in use. A judge outside the project reads the list.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from tqdm import tqdm

from voice.encoders import Encoders
from voice.errors import UserError
from voice.f0 import f0_track
from voice.files import write_text
from voice.mel import linear_spectrogram
from voice.nets.acoustic import Acoustic
from voice.nets.envelope import EnvelopeDecoder
from voice.nets.hubert import RATE
from voice.nets.sampling import Sampling
from voice.nets.semantics import AnySemantic, load_semantic
from voice.pretrain.probe import Said, read_recordings
from voice.synthesis import MAX_TOKENS_PER_PHONE, content_seed
from voice.takes import Heard, best_take

WAYS = ("real", "latent", "tokens", "said")
NOISE, TAKES, GOOD = 0.15, 8, 1.5
REFERENCE_S = (4.0, 10.0)


class Base:
    """The networks of a base and what they make of an utterance."""

    def __init__(self, folder: Path) -> None:
        self.encoders = Encoders(folder)
        self.s2 = Acoustic.load(folder / "acoustic.safetensors")
        self.s1: AnySemantic = load_semantic(folder / "semantic.safetensors")
        self.heard = Heard.load(folder / "heard.safetensors")

    def wave(self, said: Said) -> torch.Tensor:
        """Samples float32 [1, N] at the rate of s2."""
        rate = self.s2.config.sample_rate
        return torch.from_numpy(soxr.resample(said.wav, RATE, rate, quality="HQ").astype(np.float32))[None]

    def spectrogram(self, said: Said) -> torch.Tensor:
        c = self.s2.config
        return linear_spectrogram(self.wave(said), c.n_fft, c.hop, c.win)

    def latent(self, said: Said, condition: torch.Tensor) -> torch.Tensor:
        """The latent that training would show the decoder [1, inter, T]. Raises UserError when the base has none."""
        if isinstance(self.s2.dec, EnvelopeDecoder):
            c, wave = self.s2.config, self.wave(said)
            wave = wave[:, : wave.shape[1] // c.hop * c.hop]
            f0 = torch.from_numpy(f0_track(wave[0].numpy(), c.sample_rate, c.hop // 2))
            return self.s2.dec.code.encode(wave, f0[None])
        if self.s2.enc_q is None:
            raise UserError("this s2 has no posterior encoder", "give a base that kept it")
        spec = self.spectrogram(said)
        _, mean, _ = self.s2.enc_q(spec, torch.ones(1, 1, spec.shape[2]), condition)
        return mean

    def make(self, way: str, said: Said, condition: torch.Tensor) -> torch.Tensor:
        """Audio [N] at the rate of s2 of one utterance, made in one of WAYS."""
        if way == "real":
            return self.wave(said)[0]
        generator = torch.Generator().manual_seed(content_seed(way, said.phones))
        phones = torch.tensor(said.phones)
        if way == "latent":
            return self.s2.dec(self.latent(said, condition), condition)[0, 0]
        if way == "tokens":
            codes = self.s2.extract_latent(self.encoders.frames(said.wav, RATE))[0, 0]
        else:
            limit = 25 + MAX_TOKENS_PER_PHONE * len(phones)
            none = torch.zeros(0, dtype=torch.long)
            draw = partial(self.s1.generate, phones, none, Sampling(), generator, None, limit)
            codes = best_take(draw, phones, self.heard, TAKES, GOOD).take.tokens
        return self.s2.decode(codes[None], phones[None], condition, NOISE, 1.0, generator)[0, 0]


def reference(said: list[Said], but: Said) -> Said:
    """The first utterance of the same speaker, not `but` itself, that lasts as long as a reference should."""
    own = [one for one in said if one.speaker == but.speaker and one is not but]
    low, high = (int(second * RATE) for second in REFERENCE_S)
    return next((one for one in own if low <= len(one.wav) <= high), max(own, key=lambda one: len(one.wav)))


@torch.inference_mode()
def run(args: argparse.Namespace) -> None:
    """Write clips of every way below `--out` and `--out/WAY.jsonl` for the judge (wav, text, lang, ref)."""
    base, said = Base(args.listeners[0]), read_recordings(args.recordings)
    rows: dict[str, list[str]] = {way: [] for way in WAYS}
    for number, one in enumerate(tqdm(said, desc="oracle", mininterval=10)):
        condition = base.s2.reference(base.spectrogram(reference(said, one)))
        for way in WAYS:
            path = args.out.resolve() / way / f"{one.speaker}_{number:03d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            audio = base.make(way, one, condition).numpy()
            soundfile.write(path, audio / max(1.0, float(np.abs(audio).max())), base.s2.config.sample_rate)
            ref = (args.recordings / one.speaker / "recording.flac").resolve()
            row = {"wav": str(path), "text": one.text, "lang": one.lang, "ref": str(ref), "speaker": one.speaker}
            rows[way].append(json.dumps(row, ensure_ascii=False))
    for way, found in rows.items():
        write_text(args.out / f"{way}.jsonl", "\n".join(found) + "\n")
