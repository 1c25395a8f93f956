"""By how much another wording explains the frames of a CTC ear better than the text does.

One Viterbi pass forwards and one backwards (Graves et al. 2006; blank is label 0) score the text. Another wording that
differs from it in one place is a bridge: it leaves the text at one gap between units and comes back at a later one (or
the same), so that it costs a pass over its own units alone. Scores are nats: log-probability of the wording less that
of the text. Gap g stands before unit g, gap K after the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import NDArray

_LOW = -1e30
_MARGIN = 150  # frames around the place in the text where another wording is looked for
_LONGEST = 40  # units that are left out at most in one place inside; at the ends all may be


class Trellis:
    """`log_probs` float [T, labels] and `units` [K] (labels above 0), K at least 1, T enough for them."""

    def __init__(self, log_probs: NDArray[np.floating], units: Sequence[int]) -> None:
        self.logs = np.ascontiguousarray(log_probs, dtype=np.float64)
        self.units = np.array(units, dtype=np.int64)
        self.ahead = _forward(self.logs, self.units)
        self.behind = _backward(self.logs, self.units)
        self.score = float(self.ahead[-1, -2:].max())
        # The frame at which each gap is most likely crossed bounds the search for other wordings.
        self._middle = (self.ahead + self.behind)[:, ::2].argmax(axis=0)

    @property
    def fits(self) -> bool:
        """Whether the text fits into the frames at all."""
        return self.score > _LOW / 2

    def instead(self, start: int, end: int, units: Sequence[int]) -> float:
        """Nats in favour of `units` (at least one) in place of those from gap `start` to gap `end`."""
        low, high = self._window(start, end)
        said = np.array(units, dtype=np.int64)
        return float(_bridge(self.logs, self.units, self.ahead, self.behind, start, end, said, low, high)) - self.score

    def anything(self, start: int, end: int, price: float) -> float:
        """Nats in favour of any sounds (at least one), `price` nats each, in place of those between two gaps."""
        low, high = self._window(start, end)
        return float(_loop(self.logs, self.units, self.ahead, self.behind, start, end, price, low, high)) - self.score

    def without(self) -> NDArray[np.float64]:
        """[K + 1, K + 1] nats in favour of leaving out units `start` to `end` (row, column; end > start).

        -inf where not looked for: runs of more than 40 units that touch neither end of the text.
        """
        return _without(self.logs, self.units, self.ahead, self.behind, _LONGEST) - self.score

    def _window(self, start: int, end: int) -> tuple[int, int]:
        first, last = int(self._middle[start]), int(self._middle[end])
        return max(0, min(first, last) - _MARGIN), min(len(self.logs), max(first, last) + _MARGIN)


@numba.njit(cache=True)
def _forward(logs, units):  # type: ignore[no-untyped-def]
    """Best score of paths that end in each state at each frame, [T, 2K + 1]: even states are gaps, odd ones units."""
    frames, states = len(logs), 2 * len(units) + 1
    best = np.full((frames, states), _LOW)
    best[0, 0] = logs[0, 0]
    best[0, 1] = logs[0, units[0]]
    for t in range(1, frames):
        for s in range(states):
            score = best[t - 1, s]
            if s > 0:
                score = max(score, best[t - 1, s - 1])
            label = 0
            if s % 2 == 1:
                label = units[s // 2]
                if s > 1 and units[s // 2 - 1] != label:
                    score = max(score, best[t - 1, s - 2])
            best[t, s] = score + logs[t, label]
    return best


@numba.njit(cache=True)
def _backward(logs, units):  # type: ignore[no-untyped-def]
    """Best score of what follows each state at each frame, the frame itself not counted, [T, 2K + 1]."""
    frames, states = len(logs), 2 * len(units) + 1
    best = np.full((frames, states), _LOW)
    best[-1, -1] = best[-1, -2] = 0.0
    for t in range(frames - 2, -1, -1):
        for s in range(states):
            here = 0 if s % 2 == 0 else units[s // 2]
            score = best[t + 1, s] + logs[t + 1, here]
            if s + 1 < states:
                label = 0 if s % 2 == 1 else units[s // 2]
                score = max(score, best[t + 1, s + 1] + logs[t + 1, label])
            if s % 2 == 1 and s + 2 < states and units[s // 2 + 1] != here:
                score = max(score, best[t + 1, s + 2] + logs[t + 1, units[s // 2 + 1]])
            best[t, s] = score
    return best


@numba.njit(cache=True)
def _arrive(ahead, units, gap, t, label):  # type: ignore[no-untyped-def]
    """Best score of having said the units before `gap` when `label` begins at frame t; label -1 takes any."""
    if t == 0:
        return 0.0 if gap == 0 else _LOW
    score = ahead[t - 1, 2 * gap]
    if gap > 0 and units[gap - 1] != label:
        score = max(score, ahead[t - 1, 2 * gap - 1])
    return score


@numba.njit(cache=True)
def _leave(logs, behind, units, gap, t, label):  # type: ignore[no-untyped-def]
    """Best score of all from frame t on, when `label` ended before it and the units from `gap` on follow."""
    if t == len(logs):
        return 0.0 if gap == len(units) else _LOW
    score = logs[t, 0] + behind[t, 2 * gap]
    if gap < len(units) and units[gap] != label:
        score = max(score, logs[t, units[gap]] + behind[t, 2 * gap + 1])
    return score


@numba.njit(cache=True)
def _bridge(logs, units, ahead, behind, start, end, said, low, high):  # type: ignore[no-untyped-def]
    """Best score with `said` between two gaps, its frames within [low, high)."""
    states = 2 * len(said) - 1
    old, new = np.full(states, _LOW), np.full(states, _LOW)
    total = _LOW
    for t in range(low, high):
        for s in range(states):
            label = 0 if s % 2 == 1 else said[s // 2]
            score = old[s]
            if s == 0:
                score = max(score, _arrive(ahead, units, start, t, label))
            else:
                score = max(score, old[s - 1])
                if s % 2 == 0 and said[s // 2 - 1] != label:
                    score = max(score, old[s - 2])
            new[s] = score + logs[t, label]
        total = max(total, new[states - 1] + _leave(logs, behind, units, end, t + 1, said[-1]))
        old, new = new, old
    return total


@numba.njit(cache=True)
def _loop(logs, units, ahead, behind, start, end, price, low, high):  # type: ignore[no-untyped-def]
    """Best score with any row of labels between two gaps, each label at `price`; label 0 is the blank among them."""
    labels = logs.shape[1]
    old, new = np.full(labels, _LOW), np.full(labels, _LOW)
    total = _LOW
    for t in range(low, high):
        first, second, which = _LOW, _LOW, -1  # best and next best way to stand before a new label
        for u in range(labels):
            if old[u] > first:
                first, second, which = old[u], first, u
            elif old[u] > second:
                second = old[u]
        come = _arrive(ahead, units, start, t, -1)
        best = _LOW
        for u in range(labels):
            other = second if u == which else first
            fresh = max(other, come) - price if u > 0 else other
            new[u] = max(old[u], fresh) + logs[t, u]
            if u > 0:
                best = max(best, new[u])
        total = max(total, best + _leave(logs, behind, units, end, t + 1, -1))
        old, new = new, old
    return total


@numba.njit(cache=True)
def _without(logs, units, ahead, behind, longest):  # type: ignore[no-untyped-def]
    """Best score of the text less the units between two gaps, for each pair of gaps."""
    count, frames = len(units), len(logs)
    found = np.full((count + 1, count + 1), -np.inf)
    for start in range(count):
        for end in range(start + 1, count + 1):
            if end - start > longest and start > 0 and end < count:
                continue
            if end == count:
                if start > 0:
                    found[start, end] = max(ahead[-1, 2 * start], ahead[-1, 2 * start - 1])
                continue
            label, score = units[end], _LOW
            for t in range(frames):
                score = max(score, _arrive(ahead, units, start, t, label) + logs[t, label] + behind[t, 2 * end + 1])
            found[start, end] = score
    return found
