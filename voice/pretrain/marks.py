"""Other punctuation now and then, so that every mark is known.

Most texts of the corpus end in a full stop or have no marks at all: a question mark stands in it 13 times, and a
sentence that ended in one was hardly read. How a question sounds is left to the few real ones and to the voice's own
recording.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from voice.text.symbols import SYMBOLS

_ID = {symbol: number for number, symbol in enumerate(SYMBOLS)}
_OTHERS = {
    _ID["."]: [_ID[mark] for mark in "?!…"],
    _ID[","]: [_ID[mark] for mark in "…-"],
}
SHARE = 0.3


def vary_marks(phones: Sequence[int], rng: random.Random) -> torch.Tensor:
    """Phone ids [P] with some full stops and commas replaced by other marks; length and order stay."""
    return torch.tensor([rng.choice(_OTHERS[p]) if p in _OTHERS and rng.random() < SHARE else p for p in phones])
