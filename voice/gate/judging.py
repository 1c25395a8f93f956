"""Whether a take says its text, in the voice it should have, without damage: the verdict a line needs to be shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.gate.ear import Ear
from voice.gate.expectation import Expectation
from voice.gate.limits import Limits
from voice.gate.said import Said
from voice.gate.scores import Scores, measure


@dataclass(frozen=True)
class Reason:
    """Why a take fails: `code`, its `measured` figure and the `limit`, the `words` concerned, and `told` in words."""

    code: str
    figure: str
    measured: float
    limit: float
    words: str
    told: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Verdict:
    """`ok` when there is no reason against the take; `scores` has every figure; `ear` names who listened."""

    reasons: tuple[Reason, ...]
    scores: Scores
    ear: str

    @property
    def ok(self) -> bool:
        """Whether the take may be shipped."""
        return not self.reasons

    @property
    def rank(self) -> tuple[int, float]:
        """Smaller is better: number of reasons, then how unlike the text it sounds (nats a sound)."""
        return len(self.reasons), float(self.scores.figures.get("likely", np.inf))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "ok": self.ok,
            "reasons": [reason.to_dict() for reason in self.reasons],
            "figures": dict(self.scores.figures),
            "ear": self.ear,
        }


def judge(
    audio: NDArray[np.float32],
    rate: int,
    words: Sequence[Said],
    expected: Expectation,
    ear: Ear,
    limits: Limits | None = None,
    ended: bool = True,
) -> Verdict:
    """Verdict on `audio` [N] at `rate` Hz that was meant to say `words` (`said_words` of its reading).

    `expected` is what is known of the voice; `ended` whether decoding stopped by itself.
    """
    return verdict(measure(audio, rate, words, expected, ear), limits or Limits(), ear.name, ended)


def verdict(scores: Scores, limits: Limits, ear: str, ended: bool = True) -> Verdict:
    """The limits put to figures that were measured."""
    reasons = []
    if not ended:
        reasons.append(Reason("runaway", "ended", 0.0, 1.0, "", "did not end by itself"))
    for rule in limits.rules():
        value = scores.figures.get(rule.figure)
        if value is None or not rule.breaks(value):
            continue
        words = scores.words.get(rule.figure, "")
        told = rule.told.format(value=value, limit=rule.limit, words=words or "the beginning")
        reasons.append(Reason(rule.code, rule.figure, value, rule.limit, words, told))
    return Verdict(tuple(reasons), scores, ear)
