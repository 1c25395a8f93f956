"""The gate of narrations: `voice.gate.judge` with each voice's own ear, that of the engine's guard.

What listens (`listening`) is imported when there is a line to judge: that a book was judged is told without torch.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.engine import Engine
from pipeline.narration.gate import Gate, Verdict
from voice.gate import Limits

if TYPE_CHECKING:
    from pipeline.narration.listening import VoiceGate

_ORDER = 1  # raise it when lines shall be judged anew though no limit has changed


class SpeechGate:
    """The gate of the project at `root`. It listens with each voice's own ear, so it is made for a voice first."""

    heard_by = "the phone recogniser (CTC head) of the base"

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self.root, self.limits = root, limits or Limits()
        rules = json.dumps([_ORDER, *(astuple(rule) for rule in self.limits.rules())])
        self.version = hashlib.sha256(rules.encode()).hexdigest()[:12]

    def for_voice(self, name: str, engine: Engine) -> VoiceGate | None:
        """The gate of one voice; None when its base has no ear."""
        ear = getattr(getattr(engine, "guard", None), "ear", None)
        if ear is None:
            return None
        from pipeline.narration.listening import PartedEar, VoiceGate  # here, because planning needs no torch

        clip = self.root / "models" / name
        about = _about(clip / "reference.json")
        own = (clip / "reference.flac", about["text"], about["lang"]) if about else None
        return VoiceGate(PartedEar(ear), dict(getattr(engine, "lexicon", None) or {}), self.limits, own)

    def unheard(self, name: str, engine: Engine) -> str:
        """A note when no line of this voice is judged, else ""."""
        judged = getattr(engine, "hears", None)  # of a voice whose networks need not be read for that
        if judged is None:
            judged = getattr(getattr(engine, "guard", None), "ear", None) is not None
        return "" if judged else f"{name}: its base has no phone recogniser, so none of its lines is judged"

    def __call__(self, audio: NDArray[np.float32], rate: int, text: str, lang: str, seconds_expected: float) -> Verdict:
        """Not of use: without a voice there is no ear."""
        raise TypeError("a SpeechGate judges no line before `for_voice`")


def default_gate(root: Path) -> Gate:
    """The gate of real voices, as `pipeline.narration.gate.find_gate` looks it up."""
    return SpeechGate(root)


def _about(path: Path) -> dict[str, Any] | None:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
