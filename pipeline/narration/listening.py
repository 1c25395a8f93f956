"""The gate of one voice: `voice.gate.judge`, with the ear it brings along and what its reference clip tells.

A verdict depends on the sound, on what the line asks for and on the voice alone, so it is the same in every process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.narration.request import Request, longest_pause, pause_seconds
from pipeline.narration.words import hear
from voice.audio import read_audio, resample
from voice.files import sha256_file
from voice.gate import BaseEar, Clip, Expectation, Limits, Said, judge, said_words
from voice.gate.sound import RATE
from voice.text import read_text

_REST = 0.3  # seconds that a voice rests at a mark: "No, no, no." is mostly rests


@dataclass(frozen=True)
class Judged:
    """What a line's `Verdict` needs, in words; `rank` orders takes with as many reasons, smaller is better."""

    reasons: tuple[str, ...]
    rank: tuple[float, ...]

    @property
    def ok(self) -> bool:
        """True without a reason."""
        return not self.reasons


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
