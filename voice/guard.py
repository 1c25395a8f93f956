"""Hearing what was spoken before it is handed out: words left out, said twice, run-ons, odd durations.

About one sentence in a hundred of this family of models goes wrong. The phone recogniser that aligns transcripts
(CTC, `voice.nets.content`) hears the finished sound, whatever network made it; where a stretch of the text has left
no trace, or a stretch of the sound has no text, the take is drawn again (`Speaking.retries`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from voice.audio import resample
from voice.metrics.phone_error import heard_units, nats_of
from voice.nets.content_frames import RATE, PhoneRecogniser
from voice.text.units import units_of

LOST = 4  # units together without a trace: a short word or two; the ear itself seldom loses so many
EXTRA = 5  # units together that no text asked for
SPARED = 2  # units between them that happen to agree
SLOWEST, FASTEST = 2.5, 30.0  # units a second of the whole: outside, something was drawn out or left out
EDIT = 1  # cost of a deletion, an insertion and a substitution


@dataclass(frozen=True)
class Verdict:
    """What was heard of one take. problems: in words, empty for a good take; error: phone error, a share.

    nats: negative log likelihood of the text's units in the sound (CTC), a unit; it tells apart takes of equal error.
    """

    problems: tuple[str, ...]
    error: float
    nats: float

    @property
    def rank(self) -> tuple[int, float]:
        """Smaller is better."""
        return len(self.problems), self.nats


class Guard:
    """Judges takes with one recogniser."""

    def __init__(self, ear: PhoneRecogniser) -> None:
        self.ear = ear

    @torch.no_grad()
    def hear(self, audio: NDArray[np.float32], rate: int, phones: Sequence[str], ended: bool = True) -> Verdict:
        """Verdict on `audio` [N] at `rate` Hz that was meant to say `phones`; `ended`: whether decoding stopped."""
        meant = units_of(phones)
        problems = [] if ended else ["did not end by itself"]
        sound = resample(audio, rate, RATE)
        if not meant or len(sound) < RATE // 10:
            return Verdict((*problems, *(["too short to hear"] if meant else [])), 0.0, math.inf if meant else 0.0)
        logs = self.ear.log_probs(torch.from_numpy(sound)[None])[0][0]
        heard = heard_units(logs)
        steps = edits(meant, heard)
        speed = len(meant) / (len(sound) / RATE)
        if not SLOWEST <= speed <= FASTEST:
            problems.append(f"{speed:.1f} sounds a second")
        for kind, limit, told in (("delete", LOST, "left out"), ("insert", EXTRA, "said besides")):
            most = most_together(steps, kind, limit + SPARED)
            if most >= limit:
                problems.append(f"{most} sounds together {told}")
        error = sum(step != "keep" for step in steps) / len(meant)
        return Verdict(tuple(problems), error, nats_of(logs, meant) / len(meant))


def edits(meant: Sequence[int], heard: Sequence[int]) -> list[str]:
    """Cheapest steps "keep", "swap", "delete", "insert" from `meant` to `heard` (Levenshtein), in order.

    Of equally cheap ways the one with most kept and swapped in a row is taken from the end.
    """
    cost = np.zeros((len(meant) + 1, len(heard) + 1), dtype=np.int64)
    cost[:, 0], cost[0] = np.arange(len(meant) + 1), np.arange(len(heard) + 1)
    for i, unit in enumerate(meant, start=1):
        for j, other in enumerate(heard, start=1):
            cost[i, j] = min(cost[i - 1, j - 1] + (unit != other), cost[i - 1, j] + EDIT, cost[i, j - 1] + EDIT)
    steps, i, j = [], len(meant), len(heard)
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (meant[i - 1] != heard[j - 1]):
            steps.append("keep" if meant[i - 1] == heard[j - 1] else "swap")
            i, j = i - 1, j - 1
        elif i and cost[i, j] == cost[i - 1, j] + EDIT:
            steps.append("delete")
            i -= 1
        else:
            steps.append("insert")
            j -= 1
    return steps[::-1]


def most_together(steps: Sequence[str], kind: str, reach: int) -> int:
    """Most steps of `kind` among any `reach` in a row."""
    count = np.convolve([step == kind for step in steps], np.ones(reach, dtype=np.int64)) if steps else np.zeros(1)
    return int(count.max())
