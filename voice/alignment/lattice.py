"""Which words of a transcript are heard where, when some were never said and some that were said are not written.

The CTC lattice of forced alignment (Graves et al. 2006) with two ways out of it, both between words:

- filler: frames that no word of the transcript explains. Each costs its best log-probability less `filler`.
- skip: words that are not in the sound. Each costs `skip` a unit.

With neither of use, the best path is that of torchaudio's `forced_align`. The search keeps only words within `beam` of
the best, and takes what lies a minute back as settled, so that hours of speech need little memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

BLANK, FILLER = -1, -2  # what a frame holds when it is not a unit
_PIECE = 3000  # frames searched before the past is read back
_WIDTH = 8000  # units that can be in reach at once
_LOW = -1e30
_ARRIVAL, _HEARD = 2, 3  # rows of `gaps`
# Kinds of states: a unit, the blank after it inside its word, blank and filler between words; and two that no frame is
# in, an arrival at a gap (by blank or filler), which stands for the state that led there.
_UNIT, _INNER, _GAP, _FILLING, _ARRIVED, _ARRIVED_HEARD = range(6)


@dataclass(frozen=True)
class Costs:
    """In nats: `filler` a frame, `enter` once for each stretch of filler, `skip` a unit, `beam` for the search."""

    filler: float = 1.0
    enter: float = 4.0
    skip: float = 0.5
    beam: float = 400.0


def best_path(log_probs: NDArray[np.float32], words: Sequence[Sequence[int]], costs: Costs) -> NDArray[np.int32]:
    """For each frame of `log_probs` [T, U] (blank is unit 0) the number of its unit, BLANK or FILLER; int32 [T].

    Units are numbered through all words. A word whose units have no frame was skipped. Words need at least one unit.
    """
    frames = len(log_probs)
    result = np.full(frames, FILLER, dtype=np.int32)
    if not words or not frames:
        return result
    log_probs = np.ascontiguousarray(log_probs, dtype=np.float32)
    labels = np.array([unit for units in words for unit in units], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum([len(units) for units in words])]).astype(np.int64)
    prices = np.array([costs.filler, costs.enter, costs.skip, costs.beam])
    search = _Search(
        np.full((2, len(labels)), _LOW), np.full((4, len(words) + 1), _LOW), np.array([0, 1], dtype=np.int64)
    )
    search.gaps[_ARRIVAL] = -costs.skip * first
    search.gaps[_HEARD, 0] = 0.0
    past: list[tuple[int, int, NDArray[np.uint8], NDArray[np.uint8]]] = []
    for begin in range(0, frames, _PIECE):
        piece = log_probs[begin : begin + _PIECE]
        low = int(search.reach[0])
        high = int(np.searchsorted(first, first[low] + _WIDTH, side="right")) - 1
        high = min(len(words), max(high, low + 1))
        into_unit = np.zeros((len(piece), first[high] - first[low]), dtype=np.uint8)
        into_gap = np.zeros((len(piece), high - low + 1), dtype=np.uint8)
        _advance(piece, labels, first, prices, search.units, search.gaps, search.reach, low, high, into_unit, into_gap)
        past.append((begin, low, into_unit, into_gap))
        at_end = begin + _PIECE >= frames
        if at_end or len(past) > 2:
            state = search.end(first, costs.skip) if at_end else search.best(first)
            for start, below, into_unit, into_gap in reversed(past):
                out = result[start : start + len(into_unit)]
                state = _read_back(state, first, below, into_unit, into_gap, out)
            past = past[-2:]
    return result


@dataclass
class _Search:
    """Scores after the last frame. `units` [2, N]: of each unit, and of the blank after it inside its word.

    `gaps` [4, W + 1] before each word and at the end: blank, filler, arrival (the best way to stand there: the
    word before has ended or was skipped), and arrival by blank or filler. `reach`: first and last word, not included.
    """

    units: NDArray[np.float64]
    gaps: NDArray[np.float64]
    reach: NDArray[np.int64]

    def end(self, first: NDArray[np.int64], skip: float) -> tuple[int, int]:
        """The state of a path that ends here: at the gap with the best score when all words after it are skipped."""
        low, high = self.reach
        total = self.gaps[_ARRIVAL, low : high + 1] - skip * (first[-1] - first[low : high + 1])
        return _ARRIVED, int(low + np.argmax(total))

    def best(self, first: NDArray[np.int64]) -> tuple[int, int]:
        """The state with the best score, kind and number."""
        low, high = self.reach
        found = [(_UNIT, self.units[0], first[low], first[high]), (_INNER, self.units[1], first[low], first[high])]
        found += [(_GAP, self.gaps[0], low, high + 1), (_FILLING, self.gaps[1], low, high + 1)]
        states = [(float(s[a:b].max()), kind, int(a + np.argmax(s[a:b]))) for kind, s, a, b in found]
        _, kind, number = max(states)
        return kind, number


@numba.njit(cache=True)
def _advance(log_probs, labels, first, prices, units, gaps, reach, base, limit, into_unit, into_gap):  # type: ignore[no-untyped-def]
    """Go through the frames, writing how each state was reached.

    `into_unit` [T, units from `base`]: bits 0-1 for a unit (0 stayed; 1 from the blank before, or from the arrival;
    2 from the unit before, or from the arrival by blank or filler), bit 2 for the blank after it (set: from its
    unit). `into_gap` [T, gaps from `base`]: bit 0 for filler (set: entered), bits 1-2 for the arrival (0 blank,
    1 filler, 2 last unit of the word before, 3 that word skipped), bit 3 for the arrival by blank or filler.
    """
    filler, enter, skip, beam = prices
    low, high = reach
    for t in range(len(log_probs)):
        emitted = log_probs[t]
        silence, loudest = emitted[0], emitted.max() - filler
        best = _LOW
        for w in range(low, high + 1):
            # Arrivals are still those of the frame before; units of word w read them before the gap is renewed.
            arrival, heard = gaps[2, w], gaps[3, w]
            code = 0
            blank = arrival + silence
            stay, come = gaps[1, w], arrival - enter
            if come > stay:
                stay = come
                code = 1
            if w < high:
                begin, end = first[w], first[w + 1]
                for k in range(end - 1, begin - 1, -1):
                    label = labels[k]
                    step, score = 0, units[0, k]
                    if k == begin:
                        if w > 0 and labels[k - 1] == label:
                            if heard > score:
                                step, score = 2, heard
                        elif arrival > score:
                            step, score = 1, arrival
                    else:
                        if units[1, k - 1] > score:
                            step, score = 1, units[1, k - 1]
                        if labels[k - 1] != label and units[0, k - 1] > score:
                            step, score = 2, units[0, k - 1]
                    if k < end - 1:
                        inner = units[1, k]
                        if units[0, k] > inner:
                            inner = units[0, k]
                            step += 4
                        units[1, k] = inner + silence
                        best = max(best, units[1, k])
                    units[0, k] = score + emitted[label]
                    best = max(best, units[0, k])
                    into_unit[t, k - first[base]] = step
            gaps[0, w], gaps[1, w] = blank, stay + loudest
            into_gap[t, w - base] = code
        for w in range(low, high + 1):
            code, score = (8, gaps[1, w]) if gaps[1, w] > gaps[0, w] else (0, gaps[0, w])
            gaps[3, w] = score
            source = code >> 3
            if w > 0 and w > low:
                if units[0, first[w] - 1] > score:
                    source, score = 2, units[0, first[w] - 1]
                passed = gaps[2, w - 1] - skip * (first[w] - first[w - 1])
                if passed > score:
                    source, score = 3, passed
            gaps[2, w] = score
            into_gap[t, w - base] |= code | source << 1
            best = max(best, score)
        while high < limit:
            passed = gaps[2, high] - skip * (first[high + 1] - first[high])
            direct = units[0, first[high + 1] - 1]
            if max(passed, direct) < best - beam:
                break
            high += 1
            gaps[2, high] = passed
            into_gap[t, high - base] = 3 << 1
        while low + 1 < high:
            score = max(gaps[2, low], gaps[1, low])
            for k in range(first[low], first[low + 1]):
                score = max(score, units[0, k], units[1, k])
            if score > best - beam:
                break
            units[:, first[low] : first[low + 1]] = _LOW
            gaps[:, low] = _LOW
            low += 1
    reach[0], reach[1] = low, high


@numba.njit(cache=True)
def _read_back(state, first, base, into_unit, into_gap, out):  # type: ignore[no-untyped-def]
    """Write what each frame holds, from the last frame, which ends in `state`; returns the state before the first."""
    kind, number = state
    for t in range(len(out) - 1, -1, -1):
        while kind >= _ARRIVED:
            code = into_gap[t, number - base]
            source = (code >> 3) & 1 if kind == _ARRIVED_HEARD else (code >> 1) & 3
            if source == 3:
                number -= 1
            elif source == 2:
                kind, number = _UNIT, first[number] - 1
            else:
                kind = _FILLING if source == 1 else _GAP
        if kind in (_UNIT, _INNER):
            word = np.searchsorted(first, number, side="right") - 1
            step = into_unit[t, number - first[base]]
            if kind == _INNER:
                out[t] = BLANK
                if step & 4:
                    kind = _UNIT
                continue
            out[t] = number
            step &= 3
            if number == first[word]:
                if step:
                    kind, number = (_ARRIVED if step == 1 else _ARRIVED_HEARD), word
            elif step == 1:
                kind, number = _INNER, number - 1
            elif step == 2:
                number -= 1
        elif kind == _GAP:
            out[t] = BLANK
            kind = _ARRIVED
        else:
            out[t] = FILLER
            if into_gap[t, number - base] & 1:
                kind = _ARRIVED
    return kind, number
