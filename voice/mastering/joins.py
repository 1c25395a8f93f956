"""Lines put behind each other, sample by sample: silence, line, silence, line, with no click and nothing lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

FADE = 0.004  # seconds: shorter than any sound of speech, long enough that an edge does not click
_EDGE = 0.001  # seconds looked at
_SILENT = 32  # of 32768, -60 dBFS


class Joined(NamedTuple):
    """`audio` is int16 [pause + line]; the line itself is samples `start` to `end` of the whole."""

    start: int
    end: int
    audio: Samples


def join(pieces: Iterable[tuple[Samples, float]], rate: int) -> Iterator[Joined]:
    """Take (line int16 [N] at `rate` Hz, seconds of silence before it); the results behind each other are the whole."""
    position = 0
    for samples, pause in pieces:
        silent = round(pause * rate)
        start = position + silent
        position = start + len(samples)
        yield Joined(start, position, np.concatenate([np.zeros(silent, np.int16), soft_edges(samples, rate)]))


def soft_edges(samples: Samples, rate: int) -> Samples:
    """`samples`, faded over FADE at an end that is not silent; the same array when both are."""
    look = max(1, round(_EDGE * rate))
    loud_start, loud_end = _loud(samples[:look]), _loud(samples[-look:])
    if not (loud_start or loud_end):
        return samples
    length = min(round(FADE * rate), len(samples) // 2)
    ramp = np.arange(length, dtype=np.float64) / max(1, length)
    faded = samples.astype(np.float64)
    if loud_start:
        faded[:length] *= ramp
    if loud_end:
        faded[len(faded) - length :] *= ramp[::-1]
    return np.rint(faded).astype(np.int16)


def _loud(edge: Samples) -> bool:
    return bool((np.abs(edge.astype(np.int32)) > _SILENT).any())
