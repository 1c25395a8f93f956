"""Timed dubbing: a line spoken so fast that it fits into its slot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHORTEST, LONGEST = 0.5, 2.0  # of the length that the line has by itself: beyond, speech is not understood
LEAST, MOST = 0.3, 3.0  # what a voice takes as length_scale
SLACK = 0.02  # seconds that nobody hears
_AIM = 0.99  # of the slot, because lengths come in whole frames
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Take:
    """One spoken line: int16 [N] at `rate` Hz, where its sound begins and ends (s), and how it was spoken."""

    samples: NDArray[np.int16]
    rate: int
    speech: tuple[float, float]
    seed: int
    stop: str
    warnings: tuple[str, ...]
    length_scale: float | None

    @property
    def length(self) -> float:
        """Seconds of sound, silence at both ends left out."""
        return self.speech[1] - self.speech[0]


def fitted(speak: Callable[[float | None], Take], slot: float, usual: float) -> tuple[Take, float]:
    """The take of a line that fits `slot` seconds, and by how many seconds it is too long.

    `speak` takes a length_scale, None for the usual one, which is `usual`. A line that is short enough by itself is
    left as it is, for speech drawn out to fill time sounds wrong; a longer one is spoken faster, again where the
    first guess was not enough. Each try uses the same seed, so the same words come out faster.
    """
    take = speak(None)
    low, high = max(LEAST, usual * SHORTEST), min(MOST, usual * LONGEST)
    scale = usual
    for _ in range(_ROUNDS):
        late = take.length - slot
        if late <= SLACK or scale <= low:
            break
        scale = round(min(high, max(low, scale * slot * _AIM / take.length)), 4)
        again = speak(scale)
        if again.length < take.length:
            take = again
    return take, round(max(0.0, take.length - slot), 3) if take.length - slot > SLACK else 0.0
