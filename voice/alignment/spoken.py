"""The words of every segment of a recording: which they are, how well the sound bears them out, when each is said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from voice.alignment.evidence import FRAME, weigh
from voice.alignment.placing import JUMP, share_words
from voice.alignment.times import word_times
from voice.alignment.words import Word
from voice.errors import UserError

_SLACK = 1.0  # seconds a word may lie outside the times its line was given


@dataclass(frozen=True)
class Sound:
    """One segment as heard: `log_probs` [T, U] quietened, `level` in dB each 10 ms, start and end in the recording."""

    log_probs: torch.Tensor
    level: NDArray[np.float32]
    start: float
    end: float


@dataclass(frozen=True)
class Spoken:
    """What is said in one segment, words by their number in the transcript's.

    `times` are start and end (seconds in the segment) and score of the words that have a sound; `passed` is the
    longest run of words passed over between them, `torn` whether a line goes on outside and is passed over there; the
    rest is that of `Evidence`, 0 without words.
    """

    words: list[int]
    times: list[tuple[float, float, float]]
    score: float = 0.0
    contrast: float = 0.0
    weakest: float = 0.0
    unexplained: float = 0.0
    passed: int = 0
    torn: bool = False

    def to_json(self) -> dict[str, object]:
        """As a plain object."""
        return asdict(self)


def align_words(
    sounds: Sequence[Sound],
    words: Sequence[Word],
    lines: Sequence[object],
    cues: Sequence[tuple[float, float] | None],
) -> list[Spoken]:
    """What is said in each of `sounds`, neighbours in time, by a transcript in order.

    `lines` says which line each word is of, `cues` the times (s in the recording) that line was given, if any: a word
    outside them is left out.
    """
    shares = share_words([sound.log_probs for sound in sounds], words, lines)
    return [
        replace(weigh_words(sound, words, [number for number in share if _in_time(sound, cues[number])]), torn=torn)
        for sound, share, torn in zip(sounds, shares.segments, shares.torn, strict=True)
    ]


def weigh_words(sound: Sound, words: Sequence[Word], chosen: Sequence[int]) -> Spoken:
    """The evidence for just the words `chosen`; without evidence where they cannot fit into the segment."""
    sounding = [number for number in chosen if words[number].units]
    if not sounding:
        return Spoken(list(chosen), [])
    try:
        found = weigh(sound.log_probs, [words[number].units for number in sounding])
    except UserError:
        return Spoken(list(chosen), [])
    times = word_times([(span.start * FRAME, span.end * FRAME) for span in found.words], sound.level)
    return Spoken(
        words=list(chosen),
        times=[(*time, round(span.score, 4)) for time, span in zip(times, found.words, strict=True)],
        score=round(found.score, 4),
        contrast=round(found.contrast, 4),
        weakest=round(found.weakest, 4),
        unexplained=round(found.unexplained, 3),
        passed=_passed(sounding, words),
    )


def jumps(spoken: Spoken) -> bool:
    """Whether so much of the transcript is passed over inside that chance may have put its parts together."""
    return spoken.passed >= JUMP


def dump(spoken: Sequence[Spoken]) -> bytes:
    """As JSON, for a cache."""
    return json.dumps([one.to_json() for one in spoken]).encode()


def restore(data: bytes) -> list[Spoken]:
    """What `dump` wrote."""
    return [Spoken(**{**one, "times": [tuple(time) for time in one["times"]]}) for one in json.loads(data)]


def _in_time(sound: Sound, cue: tuple[float, float] | None) -> bool:
    return cue is None or (sound.start < cue[1] + _SLACK and sound.end > cue[0] - _SLACK)


def _passed(chosen: Sequence[int], words: Sequence[Word]) -> int:
    """The most sounding words between two neighbours of `chosen`."""
    most = 0
    for one, other in zip(chosen, chosen[1:], strict=False):
        most = max(most, sum(bool(word.units) for word in words[one + 1 : other]))
    return most
