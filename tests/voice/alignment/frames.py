"""Log-probabilities as an acoustic model would give them, made to order."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from voice.alignment.words import Word, script_words
from voice.text import read_text
from voice.text.units import CTC_UNITS

UNITS = len(CTC_UNITS)


def heard(frames: Sequence[int], sure: float = 0.9) -> torch.Tensor:
    """Log-probabilities that favour one unit a frame, [T, U]."""
    rest = (1 - sure) / (UNITS - 1)
    probs = torch.full((len(frames), UNITS), rest)
    probs[torch.arange(len(frames)), torch.tensor(list(frames), dtype=torch.long)] = sure
    return probs.log()


def said(words: Sequence[Word], pause: int = 3) -> list[int]:
    """Unit of each frame when the words are said one after the other: two frames a unit, a pause after each word."""
    return [f for word in words for f in [*(u for unit in word.units for u in (unit, unit, 0)), *[0] * pause]]


def english(text: str) -> list[Word]:
    return script_words([text], lambda line: read_text(line, "en"))[0]
