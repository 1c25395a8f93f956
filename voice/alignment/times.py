"""Where words begin and end: the frames of a CTC path brought to the sound.

CTC finds the middle of a sound and is loose about its edges. Between two words that follow each other closely the
boundary is put in the middle; at a pause each word reaches as far as the level does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STEP = 0.01  # seconds of one level
_CLOSE = 0.2  # seconds: what lies nearer belongs together
_DEPTH = 45.0  # dB under the loudest frame: what counts as sound
_REACH = 0.3  # seconds that a word may grow into a pause

Times = tuple[float, float]


def word_times(spans: Sequence[Times], level: NDArray[np.float32]) -> list[Times]:
    """Start and end in seconds of each word from rough ones; `level` [T] is in dB, one value each 10 ms."""
    if not spans:
        return []
    sound = level > level.max(initial=-np.inf) - _DEPTH
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    for number in range(len(spans) + 1):
        before = ends[number - 1] if number else 0.0
        after = starts[number] if number < len(spans) else len(level) * STEP
        if 0 < number < len(spans) and after - before <= _CLOSE:
            left = right = (before + after) / 2
        else:
            left, right = _grown(before, after, sound)
        if number:
            ends[number - 1] = left
        if number < len(spans):
            starts[number] = right
    return [(round(start, 3), round(end, 3)) for start, end in zip(starts, ends, strict=True)]


def _grown(before: float, after: float, sound: NDArray[np.bool_]) -> Times:
    """The pause from `before` to `after` less the sound at both its ends; its middle when there is no silence in it."""
    first, last = round(before / STEP), min(round(after / STEP), len(sound))
    most = round(_REACH / STEP)
    left = first
    while left < last and left - first < most and sound[left]:
        left += 1
    right = last
    while right > left and last - right < most and sound[right - 1]:
        right -= 1
    if left >= right:
        return (before + after) / 2, (before + after) / 2
    return max(before, left * STEP), min(after, right * STEP)
