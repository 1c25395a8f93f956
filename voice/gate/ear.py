"""Who listens: the phone recogniser of the base, or any aligner by name (`whisper:MODEL`, `ctc:MODEL`)."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from voice.alignment.aligners import Aligner, ContentAligner, load_aligner
from voice.errors import UserError
from voice.nets.content_frames import HOP, PhoneRecogniser

DEFAULT = "base"
FRAME = 0.02  # seconds


class Ear(Protocol):
    """`name` is told in every verdict. Labels of `hear` are those of `voice.text.units`, silence is number 0."""

    name: str

    def hear(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-probabilities [about N / 320, units] of 16 kHz audio [N]."""
        ...


class BaseEar:
    """The CTC head of the base itself: offline, and there wherever a voice is."""

    def __init__(self, recogniser: PhoneRecogniser, name: str = "CTC head of the base") -> None:
        self.recogniser, self.name = recogniser, name

    @torch.no_grad()
    def hear(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Ear`."""
        if len(wave) < HOP:
            return np.zeros((0, self.recogniser.config.units), dtype=np.float32)
        return np.asarray(self.recogniser.log_probs(torch.from_numpy(wave)[None])[0][0].numpy(), dtype=np.float32)


class NamedEar:
    """An aligner of `voice.alignment.aligners`, which may bring its own recogniser."""

    def __init__(self, aligner: Aligner, name: str) -> None:
        self.aligner, self.name = aligner, f"{name} ({aligner.digest[:12]})"

    def hear(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Ear`."""
        return np.asarray(self.aligner.log_probs(torch.from_numpy(wave)).numpy(), dtype=np.float32)


def load_ear(name: str, base: Path, threads: int = 1) -> Ear:
    """`base`, the ear of the base in folder `base`, or `whisper:MODEL` when the extra is installed.

    Raises UserError for an unknown name, a base without an ear, or a model that is not there.
    """
    if name == DEFAULT:
        from voice.nets.content import load_phone_recogniser

        aligner = ContentAligner(base / "aligner.safetensors")  # says so when the file is missing
        return BaseEar(load_phone_recogniser(base / "aligner.safetensors"), f"aligner {aligner.digest[:12]}")
    if name.startswith("whisper:"):
        return NamedEar(load_aligner(name, base, threads), name)
    raise UserError(f"gate ear {name!r}: unknown", f"known: {DEFAULT}, whisper:MODEL")
