"""Reference clips: what s1 and s2 take from a few seconds of a voice and their transcript."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from voice.audio import read_audio, resample
from voice.encoders import Encoders
from voice.errors import UserError
from voice.files import sha256_file
from voice.mel import linear_spectrogram
from voice.nets.acoustic import Acoustic
from voice.text import Reading, read_text

SECONDS = (2.0, 12.0)
KEPT = 16  # prepared clips in memory: a server may see any number of references


@dataclass(frozen=True)
class Prompt:
    """A reference clip as the networks take it: phones [P], BERT [P, H] or None, tokens [T], condition [1, gin, 1]."""

    phones: torch.Tensor
    bert: torch.Tensor | None
    tokens: torch.Tensor
    condition: torch.Tensor


def readable(text: str, lang: str, lexicon: Mapping[str, str] | None = None) -> Reading:
    """Reading of `text`, closed by a mark; UserError when nothing in it can be spoken."""
    reading = read_text(text, lang, lexicon)
    if not any(phone.isalnum() for phone in reading.phones):
        raise UserError(f"text {text[:40]!r}: nothing to read", "give words in a supported language")
    if reading.phones[-1].isalnum():  # an ending mark tells the decoder where to stop
        mark = "." if reading.langs[-1] in ("en", "ko") else "。"
        closing = read_text(text.rstrip() + mark, lang, lexicon)
        return replace(closing, text=reading.text, warnings=reading.warnings)
    return reading


class References:
    """Prepares reference clips for one s2; those used last are kept, by content."""

    def __init__(self, encoders: Encoders, acoustic: Acoustic, lexicon: Mapping[str, str] | None = None) -> None:
        self.encoders, self.acoustic, self.lexicon = encoders, acoustic, lexicon
        self._kept: dict[tuple[str, str], Prompt] = {}

    @torch.no_grad()
    def clip(self, path: Path, text: str, lang: str = "auto") -> Prompt:
        """Prepare a clip of 2 to 12 s and its transcript; without transcript it gives timbre only.

        Raises UserError on a clip of another length, one that cannot be read, or an unreadable transcript.
        """
        key = (sha256_file(path) if path.is_file() else str(path), f"{lang} {text}")
        if key in self._kept:
            return self._kept[key]
        wave, rate = read_audio(path)
        seconds = len(wave) / rate
        if not SECONDS[0] <= seconds <= SECONDS[1]:
            raise UserError(f"{path}: reference lasts {seconds:.1f} s", "give a clip of 2 to 12 s")
        phones, bert, tokens = torch.zeros(0, dtype=torch.long), None, torch.zeros(0, dtype=torch.long)
        if text:
            reading = readable(text, lang, self.lexicon)
            phones, bert = torch.tensor(reading.ids), self.encoders.bert(reading)
            tail = np.zeros(round(getattr(self.encoders.content.config, "tail", 0.0) * rate), np.float32)
            tokens = self.acoustic.extract_latent(self.encoders.frames(np.concatenate([wave, tail]), rate))[0, 0]
        made = Prompt(phones, bert, tokens, self._condition(wave, rate))
        if len(self._kept) >= KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = made
        return made

    def _condition(self, wave: np.ndarray, rate: int) -> torch.Tensor:
        """Timbre and style [1, gin, 1] of audio [N] at `rate` Hz."""
        c = self.acoustic.config
        own = torch.from_numpy(resample(wave, rate, c.sample_rate))[None]
        peak = float(own.abs().max())
        own = own / min(2.0, peak) if peak > 1 else own  # as the published models hear it
        spec = linear_spectrogram(own, c.n_fft, c.hop, c.win)
        return self.acoustic.reference(spec, speaker=self.encoders.speaker(wave, rate) if c.speaker else None)
