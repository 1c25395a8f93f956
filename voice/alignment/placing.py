"""Which words of a transcript are spoken in which segment, and which are not spoken at all.

First the lattice of `voice.alignment.lattice` over all segments of a recording, which may pass over words; then the
words passed over are given the room between their neighbours, if the sound there bears them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray

from voice.alignment.evidence import weigh
from voice.alignment.forced import Placed
from voice.alignment.lattice import Costs, best_path
from voice.alignment.words import Word
from voice.errors import UserError

COSTS = Costs(filler=2.0, enter=4.0, skip=4.0)
_BORNE_OUT = 0.01  # least score of words given the room between others
JUMP = 3  # words passed over in a row that make a jump in the transcript
_ISLAND = 12  # units: what stands alone between jumps needs as many, or it was found by chance


@dataclass(frozen=True)
class Shares:
    """Word numbers of each segment, in order, those that no segment holds, and the segments that hold part of a line.

    A segment is torn when the words before or after its own, in the same line, are passed over in a jump.
    """

    segments: tuple[tuple[int, ...], ...]
    unspoken: tuple[int, ...]
    torn: tuple[bool, ...]


def share_words(
    heard: Sequence[torch.Tensor], words: Sequence[Word], lines: Sequence[object], costs: Costs = COSTS
) -> Shares:
    """Words of each segment, from the (quietened) log-probabilities [T, U] of each; `lines` says each word's line.

    A word without sound of its own (a dash, say) goes with the word before it, the first ones with the one after.
    """
    sounding = [number for number, word in enumerate(words) if word.units]
    if not heard:
        return Shares((), tuple(sounding), ())
    together = torch.cat(list(heard))
    spans = _spans(best_path(together.numpy(), [words[n].units for n in sounding], costs), words, sounding)
    for number in _islands(spans, words, sounding):
        del spans[number]
    _fill(spans, together, words, sounding)
    ends = np.cumsum([len(part) for part in heard])
    shares: list[list[int]] = [[] for _ in heard]
    place: int | None = None
    waiting: list[int] = []
    for number, word in enumerate(words):
        if number in spans:
            place = int(np.searchsorted(ends, (spans[number][0] + spans[number][1] - 1) // 2, side="right"))
            shares[place] += [*waiting, number]
            waiting = []
        elif word.units:
            place = None
        elif place is not None:
            shares[place].append(number)
        else:
            waiting.append(number)
    edges = _torn_edges(spans, sounding, lines)
    return Shares(
        segments=tuple(tuple(share) for share in shares),
        unspoken=tuple(n for n in sounding if n not in spans),
        torn=tuple(not edges.isdisjoint(share) for share in shares),
    )


def _spans(path: NDArray[np.int32], words: Sequence[Word], sounding: Sequence[int]) -> dict[int, tuple[int, int]]:
    """First frame and end of each word that the path goes through."""
    first = np.concatenate([[0], np.cumsum([len(words[n].units) for n in sounding])])
    frames = np.flatnonzero(path >= 0)
    owner = np.searchsorted(first, path[frames], side="right") - 1
    found: dict[int, tuple[int, int]] = {}
    for frame, word in zip(frames.tolist(), owner.tolist(), strict=True):
        number = sounding[word]
        found[number] = (found.get(number, (frame, frame))[0], frame + 1)
    return found


def _torn_edges(spans: Mapping[int, tuple[int, int]], sounding: Sequence[int], lines: Sequence[object]) -> set[int]:
    """Words beside a jump whose neighbour in the same line is passed over."""
    found: set[int] = set()
    for heard, run in groupby(range(len(sounding)), key=lambda place: sounding[place] in spans):
        places = list(run)
        if heard or len(places) < JUMP:
            continue
        for inner, outer in ((places[0], places[0] - 1), (places[-1], places[-1] + 1)):
            if 0 <= outer < len(sounding) and lines[sounding[inner]] == lines[sounding[outer]]:
                found.add(sounding[outer])
    return found


def _islands(spans: Mapping[int, tuple[int, int]], words: Sequence[Word], sounding: Sequence[int]) -> list[int]:
    """Words found beside a jump, too few together to be more than chance."""
    runs: list[tuple[list[int], bool]] = []  # words, whether a jump stands before them
    passed = 0
    for number in sounding:
        if number not in spans:
            passed += 1
            continue
        if not runs or passed >= JUMP:
            runs.append(([], passed >= JUMP))
        runs[-1][0].append(number)
        passed = 0
    after = [jump for _, jump in runs[1:]] + [passed >= JUMP]
    found = []
    for (numbers, before), behind in zip(runs, after, strict=False):
        if (before or behind) and sum(len(words[n].units) for n in numbers) < _ISLAND:
            found += numbers
    return found


def _fill(
    spans: dict[int, tuple[int, int]], together: torch.Tensor, words: Sequence[Word], sounding: Sequence[int]
) -> None:
    """Give each run of words passed over the frames between its neighbours, where the sound bears them out."""
    missing: list[int] = []
    start = 0
    for number in [*sounding, None]:
        if number is not None and number not in spans:
            missing.append(number)
            continue
        end = len(together) if number is None else spans[number][0]
        if missing:
            for found, span in zip(
                missing, _placed(together[start:end], [words[n].units for n in missing]), strict=False
            ):
                spans[found] = (start + span.start, start + span.end)
        missing = []
        if number is not None:
            start = spans[number][1]


def _placed(log_probs: torch.Tensor, units: Sequence[Sequence[int]]) -> Sequence[Placed]:
    try:
        evidence = weigh(log_probs, units)
    except UserError:  # no room
        return ()
    return evidence.words if evidence.score >= _BORNE_OUT else ()
