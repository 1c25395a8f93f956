"""The acoustic model of alignment, by name: frames of log-probabilities, and the units that words have in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

from voice.alignment.evidence import FRAME, quieten
from voice.alignment.spoken import Sound
from voice.alignment.times import STEP
from voice.audio import read_audio, resample
from voice.errors import UserError
from voice.files import sha256_file
from voice.levels import frame_db
from voice.recognise import HeardWord, Recogniser, load_recogniser
from voice.text import read_text
from voice.text.units import CTC_UNITS, units_of

RATE = 16000
KNOWN = "content; ctc:MODEL, a folder or name of a transformers CTC model; whisper:MODEL"


class Aligner(Protocol):
    """Hears sound 50 times a second as probabilities over units, of which number 0 is silence.

    `digest` (hex sha256) stands for its weights in keys of caches. `quieter`: nats to take from silence.
    """

    digest: str
    quieter: float

    def log_probs(self, wave: torch.Tensor) -> torch.Tensor:
        """Of 16 kHz audio [N]: float32 [about N / 320, units]."""
        ...

    def units(self, word: str, phones: Sequence[str]) -> list[int]:
        """Of one word: its units, from its spelling or its phones; empty when it has no sound."""
        ...


class ContentAligner:
    """The CTC head of a content encoder; its units are phones without tone and stress."""

    quieter = 3.0  # an encoder of this size hears too much silence in a voice it does not know

    def __init__(self, weights: Path) -> None:
        """Raises UserError when the file of weights is not there."""
        if not weights.is_file():
            raise UserError(f"{weights}: the base is not set up", "run `dvc repro` first")
        self._weights = weights
        self.digest = sha256_file(weights)

    @cached_property
    def _encoder(self):  # type: ignore[no-untyped-def]  # its type would import transformers before it is needed
        from voice.nets.content import load_phone_recogniser

        return load_phone_recogniser(self._weights)

    def log_probs(self, wave: torch.Tensor) -> torch.Tensor:
        """See `Aligner`."""
        with torch.inference_mode():
            found, _ = self._encoder.log_probs(wave[None])
        return torch.as_tensor(found[0])

    def units(self, word: str, phones: Sequence[str]) -> list[int]:
        """See `Aligner`."""
        return units_of(phones)


class WhisperAligner:
    """A recogniser's words and their times, spread over the phones that the words have.

    It hears words, not sounds: what it does not recognise is silence here, and each phone of a word is as long.
    """

    quieter = 0.0

    def __init__(self, recogniser: Recogniser) -> None:
        self.digest = recogniser.digest
        self._recogniser = recogniser

    def log_probs(self, wave: torch.Tensor) -> torch.Tensor:
        """See `Aligner`."""
        heard = self._recogniser.hear_samples(wave.numpy(), None)
        frames = len(wave) // round(RATE * FRAME)
        probs = torch.full((frames, len(CTC_UNITS)), 1e-3)
        probs[:, 0] = 1.0
        for word in heard.words:
            for unit, start, end in self._spread(word, heard.lang):
                probs[start:end, 0] = 1e-3
                probs[start:end, unit] += max(word.prob, 0.05)
        return (probs / probs.sum(-1, keepdim=True)).log()

    def _spread(self, word: HeardWord, lang: str) -> list[tuple[int, int, int]]:
        """Unit, first frame and end of each phone of a recognised word."""
        try:
            units = units_of(read_text(word.text, lang if lang in ("en", "zh", "ja", "ko") else "auto").phones)
        except UserError:  # a language whose package is not installed
            return []
        edges = np.linspace(word.start, word.end, len(units) + 1) / FRAME
        return [(unit, round(a), round(b)) for unit, a, b in zip(units, edges[:-1], edges[1:], strict=True)]

    def units(self, word: str, phones: Sequence[str]) -> list[int]:
        """See `Aligner`."""
        return units_of(phones)


def load_aligner(name: str, base: Path, threads: int = 2) -> Aligner:
    """`content` (the CTC head of the base in folder `base`), `ctc:MODEL` or `whisper:MODEL`.

    Raises UserError for an unknown name, or a model that is not there.
    """
    kind, _, model = name.partition(":")
    if kind == "content" and not model:
        return ContentAligner(base / "aligner.safetensors")
    if kind == "ctc" and model:
        from voice.alignment.letters import LetterAligner

        return LetterAligner(model)
    if kind == "whisper" and model:
        return WhisperAligner(load_recogniser(model, threads=threads))
    raise UserError(f"align.aligner = {name!r}: no such aligner", f"known: {KNOWN}")


def hear(aligner: Aligner, file: Path) -> bytes:
    """What is heard in an audio file, for `sound`: log-probabilities as float16, and the level each 10 ms."""
    wave, rate = read_audio(file)
    found = aligner.log_probs(torch.from_numpy(resample(wave, rate, RATE)))
    level = frame_db(wave, round(rate * STEP)).astype(np.float32)
    return to_bytes({"log_probs": found.half().numpy(), "level": level})


def sound(heard: bytes, quieter: float, start: float, end: float) -> Sound:
    """The same as it is aligned; `start` and `end` are those of the segment in its recording (s)."""
    parts = from_bytes(heard)
    log_probs = torch.from_numpy(parts["log_probs"].astype(np.float32))
    return Sound(quieten(log_probs, quieter), parts["level"], start, end)
