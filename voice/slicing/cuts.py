"""From speech to segments: which pauses to cut at, and where inside them. Best over all ways, not the first found.

- every pause is a place to cut, the cheaper the longer it is; sound without a pause for longer than the longest segment
  can also be cut at the quietest place of each of its seconds, at a high price
- a segment costs its distance from the target length and the pauses it spans; one that stays too short costs more than
  any cut in a pause, so short ones join their neighbours
- the cheapest way to cut is found by dynamic programming
- a cut lies on the 20 ms grid of the content encoder and the spectrogram, at the quietest point of its silence
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from voice.slicing.activity import STEP, Flags, Levels, close, runs

FRAME = 0.02  # seconds
Span = tuple[int, int]  # frames of 20 ms, end not included
_HALVES = round(FRAME / STEP)
_BLIP = 0.06  # seconds; a shorter gap is no pause
_TOO_SHORT = 60.0  # the cost of a segment that must be dropped
_IN_SPEECH = 40.0  # the cost of a cut where there is no pause, before its level is added
_PAUSE = 0.5  # seconds; a pause this long inside a segment costs as much as a segment of twice the target length
_EDGE = 0.26  # seconds of silence that a segment may take to reach the least length


@dataclass(frozen=True)
class Limits:
    """Seconds."""

    min_seconds: float = 2.0
    max_seconds: float = 10.0
    target_seconds: float = 5.0
    min_silence: float = 0.16
    pad: float = 0.14


@dataclass(frozen=True)
class Cut:
    """Result over one recording, in frames. `kept` and `short` do not overlap; the rest is silence."""

    kept: tuple[Span, ...]
    short: tuple[Span, ...]


@dataclass(frozen=True)
class _Gap:
    """The silence before a stretch of speech: where the segment before it may end, `mid`, where the next may start."""

    end: int
    mid: int
    start: int
    seconds: float
    price: float


def cut(speech: Flags, level: Levels, limits: Limits) -> Cut:
    """Segments of a recording: `speech` and `level` (dB) say for each 10 ms what is heard, [2 * frames]."""
    quiet, calm = _quiet(level, 2), _quiet(level, 5)
    longest, shortest = round(limits.max_seconds / FRAME), round(limits.min_seconds / FRAME)
    parts: list[Span] = []
    forced: dict[int, float] = {}
    for part in runs(close(speech, round(_BLIP / STEP))):
        where = _inside(part, calm, longest)
        forced |= where
        ends = [part[0], *(_HALVES * at for at in where), part[1]]
        parts += list(pairwise(ends))
    gaps = _gaps(parts, forced, quiet, limits)
    kept: list[Span] = []
    short: list[Span] = []
    for first, last in _partition(parts, gaps, limits, longest, shortest):
        start, end = _fit(parts, gaps, first, last, longest, shortest)
        (kept if end - start >= shortest else short).append((start, end))
    return Cut(tuple(kept), tuple(short))


def _quiet(level: Levels, reach: int) -> NDArray[np.float64]:
    """Mean level of the `reach` steps of 10 ms to each side of every point of the 20 ms grid, [frames + 1]."""
    total = np.concatenate([[0.0], np.cumsum(level, dtype=np.float64)])
    at = np.arange(0, len(level) + 1, _HALVES)
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach, len(level))
    return (total[high] - total[low]) / np.maximum(high - low, 1)


def _inside(part: Span, quiet: NDArray[np.float64], longest: int) -> dict[int, float]:
    """Where sound too long for one segment may be cut, and the price: the quietest point of each of its seconds."""
    start, end = -(-part[0] // _HALVES), part[1] // _HALVES
    if -(-part[1] // _HALVES) - part[0] // _HALVES <= longest:
        return {}
    second, lowest = round(1 / FRAME), float(quiet[start : end + 1].min())
    found = {}
    for low in range(start + second // 2, end - second // 2, second):
        at = _lowest(quiet, low, min(low + second, end - second // 2) - 1)
        found[at] = _IN_SPEECH + 0.5 * (float(quiet[at]) - lowest)
    return found


def _lowest(quiet: NDArray[np.float64], low: int, high: int) -> int:
    """The quietest point in [low, high], the one nearest the middle where several are alike."""
    part = quiet[low : high + 1]
    alike = np.flatnonzero(part <= part.min() + 0.5)
    return low + int(alike[np.argmin(np.abs(alike - (len(part) - 1) / 2))])


def _gaps(parts: Sequence[Span], forced: dict[int, float], quiet: NDArray[np.float64], limits: Limits) -> list[_Gap]:
    """The silence before each part and after the last."""
    pad = round(limits.pad / FRAME)
    bounds = [0, *(edge for part in parts for edge in part), _HALVES * (len(quiet) - 1)]
    found: list[_Gap] = []
    for end, start in zip(bounds[::2], bounds[1::2], strict=True):
        low, high = -(-end // _HALVES), start // _HALVES
        if end == start and low in forced:
            found.append(_Gap(low, low, low, 0.0, forced[low]))
            continue
        if not found or len(found) == len(parts):
            mid = high if found else 0  # the silence belongs to one side alone
        else:
            least = min(pad // 2, (high - low) // 2)  # both sides keep a margin where there is room
            mid = _lowest(quiet, low + least, high - least)
        seconds = (start - end) * STEP
        after = _lowest(quiet, min(mid, low + pad // 2), min(mid, low + pad))
        before = _lowest(quiet, max(mid, high - pad), max(mid, high - pad // 2))
        ratio = limits.min_silence / max(seconds, STEP)
        found.append(_Gap(after, mid, before, seconds, 0.5 * ratio**2 if ratio <= 1 else 20.0 * ratio))
    return found


def _fit(parts: Sequence[Span], gaps: Sequence[_Gap], first: int, last: int, longest: int, shortest: int) -> Span:
    """The span of parts `first` to `last` with margins: less where it would be too long, more where too short."""
    low, high = parts[first][0] // _HALVES, -(-parts[last][1] // _HALVES)
    start, end = gaps[first].start, gaps[last + 1].end
    if end - start > longest:
        spare = max(0, longest - (high - low))
        start = max(start, low - spare // 2)
        end = min(end, start + max(longest, high - start))
    edge = round(_EDGE / FRAME)
    if end - start < shortest:
        start = max(min(start, low - edge), gaps[first].mid, end - shortest)
    if end - start < shortest:
        end = min(max(end, high + edge), gaps[last + 1].mid, start + shortest)
    return start, end


def _partition(
    parts: Sequence[Span], gaps: Sequence[_Gap], limits: Limits, longest: int, shortest: int
) -> list[tuple[int, int]]:
    """First and last part of each segment, of least cost."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    target = limits.target_seconds / FRAME
    for last in range(len(parts)):
        options: list[tuple[float, int]] = []
        high = -(-parts[last][1] // _HALVES)
        price = gaps[last + 1].price if last + 1 < len(parts) else 0.0
        pauses = 0.0
        for first in range(last, -1, -1):
            if first < last:
                pauses += (gaps[first + 1].seconds / _PAUSE) ** 2
                if high - parts[first][0] // _HALVES > longest:
                    break
            start, end = _fit(parts, gaps, first, last, longest, shortest)
            cost = price + pauses + ((end - start) / target - 1.0) ** 2
            if end - start < shortest:
                cost += _TOO_SHORT
            options.append((best[first][0] + cost, first))
        best.append(min(options))
    chosen: list[tuple[int, int]] = []
    end = len(parts)
    while end > 0:
        first = best[end][1]
        chosen.append((first, end - 1))
        end = first
    return chosen[::-1]
