"""The gate of narrations: `voice.gate.judge`, with the ear that a voice brings along and what its reference clip tells.

Nothing is loaded besides: the ear is that of the engine's own guard. A verdict depends on the sound, on what the line
asks for and on the voice alone, so it is the same in every process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.engine import Engine
from pipeline.narration.gate import Gate
from pipeline.narration.request import Request, longest_pause, pause_seconds
from pipeline.narration.words import hear
from voice.audio import read_audio, resample
from voice.files import sha256_file
from voice.gate import BaseEar, Clip, Expectation, Limits, Said, judge, said_words
from voice.gate.sound import RATE
from voice.text import read_text

_REST = 0.3  # seconds that a voice rests at a mark: "No, no, no." is mostly rests
_ORDER = 1  # raise it when lines shall be judged anew though no limit has changed


@dataclass(frozen=True)
class Judged:
    """What a line's `Verdict` needs, in words; `rank` orders takes with as many reasons, smaller is better."""

    reasons: tuple[str, ...]
    rank: tuple[float, ...]

    @property
    def ok(self) -> bool:
        """True without a reason."""
        return not self.reasons


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
        clip = self.root / "models" / name
        about = _about(clip / "reference.json")
        own = (clip / "reference.flac", about["text"], about["lang"]) if about else None
        return VoiceGate(PartedEar(ear), dict(getattr(engine, "lexicon", None) or {}), self.limits, own)

    def unheard(self, name: str, engine: Engine) -> str:
        """A note when no line of this voice is judged, else ""."""
        judged = getattr(getattr(engine, "guard", None), "ear", None) is not None
        return "" if judged else f"{name}: its base has no phone recogniser, so none of its lines is judged"

    def __call__(self, audio: NDArray[np.float32], rate: int, text: str, lang: str, seconds_expected: float) -> Judged:
        """Not of use: without a voice there is no ear."""
        raise TypeError("a SpeechGate judges no line before `for_voice`")


@dataclass(frozen=True)
class VoiceGate:
    """The gate of one voice: its ear, its own words, the limits, and its reference (path, text, language)."""

    ear: BaseEar
    lexicon: dict[str, str]
    limits: Limits
    reference: tuple[Path, str, str] | None
    scale: float = 1.0  # of the usual length
    paused: tuple[float, float] = (0.0, 0.0)  # silence that the line asks for: all of it, the longest; seconds

    def for_line(self, request: Request, scale: float) -> VoiceGate:
        """The gate of a line spoken at length_scale `scale`: its pauses are no faults, its own clip is the voice."""
        own = (Path(request.ref), request.ref_text or "", "auto") if request.ref is not None else self.reference
        paused = pause_seconds(request.text), longest_pause(request.text)
        return replace(self, reference=own, scale=scale, paused=paused)

    def __call__(self, audio: NDArray[np.float32], rate: int, text: str, lang: str, seconds_expected: float) -> Judged:
        """See `pipeline.narration.gate.Gate`."""
        words = said_words(read_text(text, lang, self.lexicon))
        found = judge(audio, rate, words, self._expected(rate, words), self.ear, self._limits())
        return Judged(tuple(reason.told for reason in found.reasons), found.rank)

    def _expected(self, rate: int, words: Sequence[Said]) -> Expectation:
        """What is known of the voice, at the speed of this line and with its pauses."""
        if self.reference is None:
            return Expectation()
        path, text, lang = self.reference
        known = expectation(path, sha256_file(path), text, lang, min(rate, RATE), tuple(sorted(self.lexicon.items())))
        sounds = sum(len(word.units) for word in words)
        if not known.pace or not sounds:
            return known
        rests = self.paused[0] + _REST * sum(word.pause for word in words[:-1])
        return replace(known, pace=sounds / (sounds / known.pace * self.scale + rests))

    def _limits(self) -> Limits:
        """Silence may be longer by the longest pause that was asked for."""
        longest = self.paused[1]
        if not longest:
            return self.limits
        silent = {
            (rule.code, rule.figure): rule.limit + longest for rule in self.limits.rules() if rule.code == "dead_air"
        }
        return Limits({**self.limits.changed, **silent})


class PartedEar(BaseEar):
    """Hears long sound in parts: its memory grows with the square of what it hears at once."""

    def hear(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `voice.gate.Ear`."""
        return hear(self.recogniser, wave)


@lru_cache(maxsize=64)
def expectation(
    path: Path, digest: str, text: str, lang: str, rate: int, lexicon: tuple[tuple[str, str], ...]
) -> Expectation:
    """What a reference clip tells of its voice, heard at `rate` Hz: a line at 8 kHz has no treble either.

    `digest` is its sha256, so that a clip that changed is heard again. Raises UserError for one that cannot be read.
    """
    wave, own = read_audio(path)
    if rate < own:
        wave, own = resample(wave, own, rate), rate
    words = said_words(read_text(text, lang, dict(lexicon))) if text.strip() else []
    return Expectation.of([Clip(wave, own, sum(len(word.units) for word in words) or None)])


def default_gate(root: Path) -> Gate:
    """The gate of real voices, as `pipeline.narration.gate.find_gate` looks it up."""
    return SpeechGate(root)


def _about(path: Path) -> dict[str, Any] | None:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
