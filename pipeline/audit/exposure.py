"""How often training saw each segment: counted from what it was given, where that decides it.

The two trainings take batch after batch of their segments in an order that follows from seed and epoch alone
(`voice.train.batching.Epochs`); weights are those of one step, which is written in them. So the count is exact.
The order is drawn here a second time, without torch; a test holds both to be the same.
"""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FAMILY = "official"
LARGEST_HEADER = 1 << 24


def batches_of(count: int, size: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch over `count` segments."""
    rng = random.Random(seed * 100_003 + epoch)
    order = sorted(range(count), key=lambda i: 1 + 0.2 * (rng.random() - 0.5))
    groups = [order[first : first + size] for first in range(0, count, size)]
    rng.shuffle(groups)
    return groups


def times_seen(count: int, size: int, seed: int, batches: int) -> list[int]:
    """How often each of `count` segments is in the first `batches` batches."""
    if count == 0:
        return []
    whole, rest = divmod(batches, -(-count // size))
    seen = [whole] * count
    for group in batches_of(count, size, seed, whole)[:rest]:
        for index in group:
            seen[index] += 1
    return seen


def exposure(names: Sequence[str], settings: Mapping[str, Any], base: str, weights: Path) -> dict[str, int] | None:
    """Segment -> times in a batch before the step of `weights`; `names` are the training segments in their order.

    None when it is not known: weights that do not say their step, or settings without what decides the order.
    """
    step = chosen_step(weights)
    values = {**settings, **(settings.get(FAMILY) or {})} if base.startswith(f"{FAMILY}-") else settings
    size, seed, gathered = values.get("batch_size"), values.get("seed"), values.get("accumulate", 1)
    if step is None or not all(isinstance(value, int) for value in (size, seed, gathered)) or int(size) < 1:  # type: ignore[arg-type]
        return None
    seen = times_seen(len(names), int(size), int(seed), step * int(gathered))  # type: ignore[arg-type]
    return dict(zip(names, seen, strict=True))


def chosen_step(weights: Path) -> int | None:
    """The step that `weights` were taken from, as their metadata says."""
    try:
        step = json.loads(metadata(weights)["reprovoice"])["chosen"]["step"]
    except (KeyError, ValueError, TypeError, OSError):
        return None
    return step if isinstance(step, int) else None


def metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, from its header alone. Raises OSError or ValueError for what is none."""
    with path.open("rb") as file:
        head = file.read(8)
        if len(head) < 8 or (length := struct.unpack("<Q", head)[0]) > LARGEST_HEADER:
            raise ValueError(f"{path}: not safetensors")
        return dict(json.loads(file.read(length)).get("__metadata__") or {})
