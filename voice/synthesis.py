"""`Voice.load(folder).say(text)`: the object everybody uses to speak with a trained voice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voice.audio import read_audio, resample
from voice.errors import UserError
from voice.files import sha256_file
from voice.mel import linear_spectrogram
from voice.nets.acoustic import Acoustic
from voice.nets.hubert import RATE as CONTENT_RATE
from voice.nets.hubert import ContentEncoder
from voice.nets.sampling import Sampling
from voice.nets.semantic import Semantic
from voice.takes import MIN_TOKENS_PER_PHONE, Heard, best_take
from voice.text import Reading, read_text

REFERENCE_S = (2.0, 12.0)
MAX_TOKENS_PER_PHONE = 8  # 0.32 s a phone: far beyond any speaking rate, so a sign of a runaway
TAKES = 8
GOOD_MISMATCH = 1.5  # nats a unit: as well as recorded speech reads at its best


@dataclass(frozen=True)
class Speech:
    """One spoken text. audio: float32 [N] in [-1, 1]; stop: "eos", or "max_steps" for a runaway take."""

    audio: np.ndarray
    sample_rate: int
    seconds: float
    seed: int
    stop: str
    phones: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class Prompt:
    """A reference clip as the networks take it: phones [P], tokens [T], condition [1, gin, 1]."""

    phones: torch.Tensor
    tokens: torch.Tensor
    condition: torch.Tensor


def content_seed(*parts: object) -> int:
    """Seed in [0, 2^31) from the content of `parts`, never from position or time."""
    text = json.dumps([str(part) for part in parts], ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def readable(text: str, lang: str, lexicon: Mapping[str, str] | None) -> Reading:
    """Reading of `text`; UserError when nothing in it can be spoken."""
    reading = read_text(text, lang, lexicon)
    if not any(phone.isalnum() for phone in reading.phones):
        raise UserError(f"text {text[:40]!r}: nothing to read", "give words in a supported language")
    if reading.phones[-1].isalnum():  # an ending mark tells the decoder where to stop
        closing = read_text(reading.norm.rstrip() + ("。" if reading.langs[-1] == "zh" else "."), lang, lexicon)
        return replace(closing, text=reading.text, warnings=reading.warnings)
    return reading


class Voice:
    """A trained voice: s1, s2 and its own reference clip."""

    def __init__(self, semantic: Semantic, acoustic: Acoustic, content: ContentEncoder, info: dict[str, Any]) -> None:
        self.semantic, self.acoustic, self.content, self.info = semantic, acoustic, content, info
        self.sample_rate = acoustic.config.sample_rate
        self._prompts: dict[tuple[str, str], Prompt] = {}
        self._default: tuple[Path, str] | None = None
        self.heard: Heard | None = None
        self.lang = "auto"

    @classmethod
    def load(cls, model_dir: Path, base_dir: Path, threads: int = 2) -> Voice:
        """Load `model_dir` (semantic, acoustic, reference) and the content encoder of `base_dir`.

        Raises UserError when a file is missing or unreadable.
        """
        torch.set_num_threads(threads)
        files = {name: model_dir / f"{name}.safetensors" for name in ("semantic", "acoustic")}
        files["content"] = base_dir / "content.safetensors"
        for path in files.values():
            if not path.is_file():
                raise UserError(f"{path}: the voice is not built", "run `dvc repro` first")
        info = {name: sha256_file(path) for name, path in files.items()}
        voice = cls(
            Semantic.load(files["semantic"]),
            Acoustic.load(files["acoustic"]),
            ContentEncoder.load(files["content"]),
            info,
        )
        table = base_dir / "heard.safetensors"
        if table.is_file():
            voice.heard = Heard.load(table)
            info["heard"] = sha256_file(table)
        reference = model_dir / "reference.json"
        if reference.is_file():
            about = json.loads(reference.read_text())
            voice._default = (model_dir / "reference.flac", about["text"])
            voice.lang = about["lang"]
            info["reference"] = sha256_file(model_dir / "reference.flac")
        return voice

    @torch.no_grad()
    def prompt(self, ref: Path, text: str, lang: str = "auto") -> Prompt:
        """Prepare a reference clip of 2 to 12 s and its transcript; kept by content."""
        key = (sha256_file(ref) if ref.is_file() else str(ref), f"{lang} {text}")
        if key in self._prompts:
            return self._prompts[key]
        wav, rate = read_audio(ref)
        seconds = len(wav) / rate
        if not REFERENCE_S[0] <= seconds <= REFERENCE_S[1]:
            raise UserError(f"{ref}: reference lasts {seconds:.1f} s", "give a clip of 2 to 12 s")
        at_content = torch.from_numpy(resample(wav, rate, CONTENT_RATE))[None]
        ssl, _ = self.content.features(at_content)
        tokens = self.acoustic.extract_latent(ssl.transpose(1, 2))[0, 0]
        c = self.acoustic.config
        own = torch.from_numpy(resample(wav, rate, c.sample_rate))[None]
        condition = self.acoustic.reference(linear_spectrogram(own, c.n_fft, c.hop, c.win))
        phones = torch.tensor(readable(text, lang, None).ids) if text else torch.zeros(0, dtype=torch.long)
        if not text:
            tokens = tokens[:0]  # without its transcript the clip gives timbre only
        made = Prompt(phones, tokens, condition)
        if len(self._prompts) >= 16:  # bounded: a server may see any number of references
            self._prompts.pop(next(iter(self._prompts)))
        self._prompts[key] = made
        return made

    @torch.no_grad()
    def say(
        self,
        text: str,
        *,
        lang: str = "auto",
        ref: Path | None = None,
        ref_text: str | None = None,
        noise_scale: float = 0.15,
        length_scale: float = 1.0,
        seed: int | None = None,
        top_k: int = 10,
        temperature: float = 0.7,
        penalty: float = 1.0,
        takes: int = TAKES,
        prompt: bool = False,
        lexicon: Mapping[str, str] | None = None,
    ) -> Speech:
        """Speak `text` with the voice's own reference or another clip.

        With `prompt`, s1 goes on from the reference's own tokens, its manner of speaking, as the published models
        always do; the mini base keeps to its text better without, and then takes timbre and style alone from it.
        length_scale > 1 is slower. Without `seed` one follows from text, weights and parameters, so the same call
        gives the same samples. Up to `takes` rows of semantic tokens are drawn and the one that reads best as the
        text is kept (`voice.takes`); a result that did not end or is too short says so.
        Raises UserError on unreadable text, a bad reference or parameters out of range.
        """
        if not 0.3 <= length_scale <= 3:
            raise UserError(f"length_scale {length_scale}: out of range", "use 0.3 to 3")
        if takes < 1:
            raise UserError(f"takes {takes}: out of range", "draw at least one")
        if not 0 <= noise_scale <= 2:
            raise UserError(f"noise_scale {noise_scale}: out of range", "use 0 to 2")
        reading = readable(text, lang, lexicon)
        if ref is not None:
            clip = self.prompt(ref, ref_text or "")
        elif self._default is not None:
            clip = self.prompt(*self._default, lang=self.lang)
        else:
            raise UserError("the voice has no reference clip of its own", "give --ref and --ref-text")
        if seed is None:
            settings = (noise_scale, length_scale, top_k, temperature, penalty, takes, prompt)
            condition = hashlib.sha256(clip.condition.numpy().tobytes()).hexdigest()
            seed = content_seed(text, lang, sorted(self.info.items()), condition, settings)
        generator = torch.Generator().manual_seed(seed)
        sampling = Sampling(top_k=top_k, temperature=temperature, penalty=penalty)
        target = torch.tensor(reading.ids)
        joined, before = target, clip.tokens[:0]
        if prompt:
            joined, before = torch.cat([clip.phones, target]), clip.tokens
        limit = 25 + MAX_TOKENS_PER_PHONE * len(target)
        take = best_take(
            lambda: self.semantic.generate(joined, before, sampling, generator, max_steps=limit),
            target, self.heard, takes, GOOD_MISMATCH,
        ).take  # fmt: skip
        warnings = list(reading.warnings)
        if len(take.tokens) < MIN_TOKENS_PER_PHONE * len(target):
            warnings.append(
                f"spoken in {len(take.tokens) / 25:.1f} s: too short for {len(target)} phones, words are missing"
            )
        audio = self.acoustic.decode(
            take.tokens[None], target[None], clip.condition, noise_scale, 1 / length_scale, generator
        )[0, 0]
        samples = audio.numpy().astype(np.float32)
        samples = samples / max(1.0, float(np.abs(samples).max()))
        return Speech(
            audio=samples,
            sample_rate=self.sample_rate,
            seconds=len(samples) / self.sample_rate,
            seed=seed,
            stop=take.stop,
            phones=list(reading.phones),
            warnings=warnings,
        )
