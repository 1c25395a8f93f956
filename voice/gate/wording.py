"""What was said in place of the text: the best of all near wordings of each kind, in nats over the text.

- skip: a run of sounds is left out; cut: the text ends early
- twice: words are said again; swap: words stand in another order
- other: something else is said in place of words; extra: something is said between words

The text of a good take beats them all by far; where one of them wins, that is what is heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from voice.gate.said import Said
from voice.gate.trellis import Trellis

PRICE = 6.0  # nats of a sound of which nothing is known; one of a hundred units would be 4.6
_LEAST = 2  # units that can be missed together
_AGAIN = 4  # words said twice in a row
_MOVED, _BETWEEN = 2, 2  # words that change places, and words that stay between them
_OTHER = 3  # words in a row that something else stands for


@dataclass(frozen=True)
class Finding:
    """The best wording of a kind: `nats` in its favour, the words [start, end) that it concerns."""

    nats: float
    start: int
    end: int


def findings(trellis: Trellis, words: Sequence[Said]) -> dict[str, Finding]:
    """By kind the wording with most nats; `words` are those of the trellis."""
    first = np.concatenate([[0], np.cumsum([len(one.units) for one in words])]).astype(int).tolist()
    found = {kind: Finding(-np.inf, 0, 0) for kind in ("skip", "cut", "twice", "swap", "other", "extra")}
    rows: Iterator[tuple[str, Finding]] = chain(
        _left_out(trellis, first), _again(trellis, words, first), _moved(trellis, words, first), _free(trellis, first)
    )
    for kind, one in rows:
        if one.nats > found[kind].nats:
            found[kind] = one
    return found


def _left_out(trellis: Trellis, first: list[int]) -> Iterator[tuple[str, Finding]]:
    table = trellis.without()
    count = first[-1]
    owner = np.searchsorted(first, np.arange(count + 1), side="right") - 1
    near = np.subtract.outer(np.arange(count + 1), np.arange(count + 1)) > -_LEAST
    ends = table[:, count].copy()
    table[near] = -np.inf
    table[:, count] = -np.inf
    if np.isfinite(table).any():
        start, end = divmod(int(table.argmax()), count + 1)
        yield "skip", Finding(float(table[start, end]), int(owner[start]), int(owner[end - 1]) + 1)
    ends[count - _LEAST + 1 :] = -np.inf
    if np.isfinite(ends).any():
        last = int(ends.argmax())
        yield "cut", Finding(float(ends[last]), int(owner[last]), len(first) - 1)


def _again(trellis: Trellis, words: Sequence[Said], first: list[int]) -> Iterator[tuple[str, Finding]]:
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + _AGAIN) + 1):
            units = [unit for one in words[start:end] for unit in one.units]
            yield "twice", Finding(trellis.instead(first[end], first[end], units), start, end)


def _moved(trellis: Trellis, words: Sequence[Said], first: list[int]) -> Iterator[tuple[str, Finding]]:
    """Exchange words [a, b) and [c, d)."""
    sizes = range(1, _MOVED + 1)
    for a in range(len(words)):
        for b, between in ((a + size, between) for size in sizes for between in range(_BETWEEN + 1)):
            c = b + between
            for d in (c + size for size in sizes if c + size <= len(words)):
                order = [*words[c:d], *words[b:c], *words[a:b]]
                units = [unit for one in order for unit in one.units]
                if units != [unit for one in words[a:d] for unit in one.units]:
                    yield "swap", Finding(trellis.instead(first[a], first[d], units), a, d)


def _free(trellis: Trellis, first: list[int]) -> Iterator[tuple[str, Finding]]:
    count = len(first) - 1
    for start in range(count + 1):
        yield "extra", Finding(trellis.anything(first[start], first[start], PRICE), max(0, start - 1), start)
        for end in range(start + 1, min(count, start + _OTHER) + 1):
            yield "other", Finding(trellis.anything(first[start], first[end], PRICE), start, end)
