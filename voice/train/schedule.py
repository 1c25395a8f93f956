"""Learning-rate schedules: factors on the learning rate, of the step's number."""

from __future__ import annotations

import math


def warm_cosine(step: int, steps: int, warm: int = 200, floor: float = 0.05) -> float:
    """Factor on the learning rate: linear over `warm` steps, then a cosine from 1 down to `floor` at `steps`."""
    if step < warm:
        return step / warm
    done = min(1.0, (step - warm) / max(1, steps - warm))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))


def exponential(step: int, epoch_steps: int, decay: float = 0.999875) -> float:
    """Factor on the learning rate: `decay` to the number of whole epochs before `step` (from 1).

    The published s2 falls so (specification 3.9); its `decay` is the default.
    """
    return decay ** ((max(step, 1) - 1) // epoch_steps)
