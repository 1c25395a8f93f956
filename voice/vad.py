"""Where speech is, and where to cut it: WebRTC voice activity, then segments that end in silence.

- frames of 20 ms, so that every cut lies on the frame grid of the content encoder and the spectrogram
- hysteresis: short gaps are filled, short bursts dropped, and each region keeps a margin of silence
- a region longer than the longest segment is split at its quietest frame
- the grouping of regions into segments is the best one over all (dynamic programming), not the first one
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from voice.audio import resample, to_int16
from voice.levels import frame_db

FRAME = 0.02  # seconds
RATE = 16000
Span = tuple[int, int]  # frames, end not included


@dataclass(frozen=True)
class Limits:
    """Seconds, except `aggressiveness` (0 to 3, WebRTC's own scale: 3 calls the least speech)."""

    min_seconds: float = 2.0
    max_seconds: float = 10.0
    target_seconds: float = 5.0
    min_silence: float = 0.16
    min_speech: float = 0.1
    pad: float = 0.1
    aggressiveness: int = 2


@dataclass(frozen=True)
class Cut:
    """Result over one recording, in frames. `kept` and `short` do not overlap; the rest is silence."""

    kept: tuple[Span, ...]
    short: tuple[Span, ...]
    frames: int

    def seconds(self) -> dict[str, float]:
        """Every second of the recording: kept, dropped as too short, dropped as silence."""
        kept = sum(e - s for s, e in self.kept) * FRAME
        short = sum(e - s for s, e in self.short) * FRAME
        return {
            "kept": round(kept, 2),
            "short": round(short, 2),
            "silence": round(self.frames * FRAME - kept - short, 2),
        }


def cut(wave: NDArray[np.float32], rate: int, limits: Limits) -> Cut:
    """Segments of `wave` [N] at `rate` Hz."""
    at16k = resample(wave, rate, RATE)
    level = frame_db(at16k, int(RATE * FRAME))
    return group(regions(speech_flags(at16k, limits.aggressiveness), limits), level, limits)


def speech_flags(wave: NDArray[np.float32], aggressiveness: int) -> NDArray[np.bool_]:
    """WebRTC's verdict for each whole 20 ms frame of 16 kHz audio, [N // 320]."""
    detector = webrtcvad.Vad(aggressiveness)
    size = int(RATE * FRAME)
    data = to_int16(wave)
    return np.array(
        [detector.is_speech(data[i : i + size].tobytes(), RATE) for i in range(0, len(data) - size + 1, size)],
        dtype=np.bool_,
    )


def regions(flags: NDArray[np.bool_], limits: Limits) -> list[Span]:
    """Runs of speech, gaps shorter than `min_silence` filled, then those under `min_speech` dropped."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    merged: list[list[int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if merged and (start - merged[-1][1]) * FRAME < limits.min_silence:
            merged[-1][1] = end
        else:
            merged.append([start, end])
    return [(s, e) for s, e in merged if (e - s) * FRAME >= limits.min_speech]


def group(found: list[Span], level: NDArray[np.float64], limits: Limits) -> Cut:
    """Join neighbouring regions into segments of `min_seconds` to `max_seconds`, near `target_seconds`.

    `level` is the power of each frame in dB. A segment shorter than `min_seconds` that cannot be joined is
    reported as `short`, never lost without a trace.
    """
    longest = round(limits.max_seconds / FRAME)
    shortest = round(limits.min_seconds / FRAME)
    pieces = [piece for region in found for piece in _split(region, level, longest, shortest)]
    spans = _pad(pieces, level, round(limits.pad / FRAME))
    kept: list[Span] = []
    short: list[Span] = []
    for first, last in _partition(spans, pieces, limits, longest, shortest):
        start, end = spans[first][0], spans[last][1]
        end = min(end, start + longest)  # the margin gives way, not the speech
        (kept if end - start >= shortest else short).append((start, end))
    return Cut(tuple(kept), tuple(short), len(level))


def _split(region: Span, level: NDArray[np.float64], longest: int, shortest: int) -> list[Span]:
    """Halve a region at its quietest frame until each part fits; a part is never shorter than it must be."""
    start, end = region
    if end - start <= longest:
        return [region]
    low = start + max(1, min(shortest, (end - start) // 2))
    high = end - max(1, min(shortest, (end - start) // 2))
    where = _quietest(level, low, max(high, low + 1))
    return [part for half in ((start, where), (where, end)) for part in _split(half, level, longest, shortest)]


def _quietest(level: NDArray[np.float64], low: int, high: int) -> int:
    """The quietest frame in [low, high), the one nearest the middle where many are alike."""
    part = level[low:high]
    alike = np.flatnonzero(part <= part.min() + 0.5)
    return low + int(alike[np.argmin(np.abs(alike - (high - low) // 2))])


def _pad(pieces: list[Span], level: NDArray[np.float64], pad: int) -> list[Span]:
    """Widen each piece by `pad`, but at most to the quietest frame between it and its neighbour."""
    limits = [0]
    for (_, end), (start, _) in pairwise(pieces):
        limits.append(end if start == end else _quietest(level, end, start))
    limits.append(len(level))
    return [(max(limits[i], start - pad), min(limits[i + 1], end + pad)) for i, (start, end) in enumerate(pieces)]


def _partition(spans: list[Span], pieces: list[Span], limits: Limits, longest: int, shortest: int) -> list[Span]:
    """First and last index of each segment, of least cost: distance from the target, and pauses inside.

    `pieces` are the regions of speech, `spans` the same with their margins.
    """
    best: list[tuple[float, int]] = [(0.0, 0)]
    for last in range(len(spans)):
        options: list[tuple[float, int]] = []
        inside = 0.0
        for first in range(last, -1, -1):
            size = spans[last][1] - spans[first][0]
            if first < last:
                gap = (pieces[first + 1][0] - pieces[first][1]) * FRAME
                inside += (gap / 0.3) ** 2
                if size > longest:
                    break
            cost = inside + (size * FRAME / limits.target_seconds - 1.0) ** 2
            if size < shortest:
                cost += 1000.0
            options.append((best[first][0] + cost, first))
        best.append(min(options))
    chosen: list[Span] = []
    end = len(spans)
    while end > 0:
        first = best[end][1]
        chosen.append((first, end - 1))
        end = first
    return chosen[::-1]
