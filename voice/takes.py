"""Several takes of the semantic tokens of a text, and the one that says it best.

A token of the mini base tells much of the phone it stands for. A table of how often each token goes with each unit
(`heard.safetensors` of a base) therefore says how well a row of tokens reads as the text, before any sound is made:
the CTC likelihood of the text's units (Graves et al. 2006) with silence as the blank. Decoding is cheap beside the
rest, so a few takes are drawn and the best kept. A base without the table keeps the first take of a sound length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from voice.metrics.phone_error import nats_of
from voice.nets.decoding import Take
from voice.text.symbols import SYMBOLS
from voice.text.units import CTC_UNITS, units_of
from voice.weights import load_tensors, save_tensors

MIN_TOKENS_PER_PHONE = 1.2  # 0.05 s a phone: faster than anybody speaks, so words were left out
SMOOTHING = 0.02  # share of the overall distribution in every row: no token rules a unit out


@dataclass(frozen=True)
class Heard:
    """table: log probability of each unit (class 0 = silence) given a token, float32 [codes, units]."""

    table: torch.Tensor

    @classmethod
    def count(cls, tokens: torch.Tensor, units: torch.Tensor, codes: int) -> Heard:
        """From pairs of token and unit spoken there, int64 [N] each."""
        joint = torch.zeros(codes, len(CTC_UNITS))
        joint.index_put_((tokens, units), torch.ones(len(tokens)), accumulate=True)
        overall = (joint.sum(0) + 1) / (joint.sum() + len(CTC_UNITS))
        share = joint / joint.sum(1, keepdim=True).clamp(min=1)
        share = torch.where(joint.sum(1, keepdim=True) > 0, share, overall)
        return cls(((1 - SMOOTHING) * share + SMOOTHING * overall).log())

    def save(self, path: Path) -> None:
        """Write as float16."""
        save_tensors(path, {"table": self.table.half()}, {"kind": "heard", "config": {"codes": len(self.table)}})

    @classmethod
    def load(cls, path: Path) -> Heard:
        """Read a file written by `save`. Raises UserError on a bad file."""
        tensors, _ = load_tensors(path)
        return cls(tensors["table"].float().log_softmax(-1))

    def mismatch(self, tokens: torch.Tensor, phones: torch.Tensor) -> float:
        """Negative log likelihood, a unit, of phones [P] given tokens [T]; infinite when they cannot fit in."""
        units = units_of(SYMBOLS[p] for p in phones.tolist())
        if not units:
            return 0.0
        return nats_of(self.table[tokens], units) / len(units)


@dataclass(frozen=True)
class Choice:
    """The kept take, how many were drawn, and its mismatch (nan without a table)."""

    take: Take
    drawn: int
    mismatch: float


def best_take(draw: Callable[[], Take], phones: torch.Tensor, heard: Heard | None, tries: int, good: float) -> Choice:
    """Draw up to `tries` takes of phones [P]; stop early at one that ended, is long enough and reads well enough.

    Order of preference: ended by itself and long enough, then lowest mismatch; else the longest that ended; else
    the first runaway.
    """
    best = Choice(Take(torch.zeros(0, dtype=torch.long), "max_steps"), 0, math.nan)
    best_rank = (3, 0.0)
    for number in range(1, tries + 1):
        take = draw()
        mismatch = math.nan
        if take.stop != "eos":
            rank = (2, float(number))
        elif len(take.tokens) < MIN_TOKENS_PER_PHONE * len(phones):
            rank = (1, -float(len(take.tokens)))
        else:
            mismatch = math.nan if heard is None else heard.mismatch(take.tokens, phones)
            rank = (0, number if heard is None else mismatch)
        if rank < best_rank:
            best, best_rank = Choice(take, number, mismatch), rank
        if best_rank[0] == 0 and (heard is None or best.mismatch <= good):
            break
    return Choice(best.take, number, best.mismatch)
