"""Whether more than one person may be speaking: a classical test on cepstra and pitch, no network.

Speech is cut at pauses into units of at most 3 s. Two groups of units, each with a Gaussian of its own for all its
frames, describe two speakers better than one Gaussian does; how much better, less what so many numbers cost by the
Bayesian criterion (Chen and Gopalakrishnan, "Speaker, environment and channel change detection", 1998), is the gain
per frame. A single reader gains too (noise, distance), so the gain has to be large, or fair with pitch groups apart.
Measured: none of 91 single readers is suspected; of mixtures in equal parts all 42 of long recordings and 83 % of
those of short clips (close, or made from each other, as many of these voices are); half where the second has a fifth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.measures.speech import Frames

_RANGE = 30.0  # dB under the loud frames (95th percentile) is a pause
_PAUSE, _SHORTEST, _LONGEST = 25, 60, 300  # frames of 10 ms
_LEAST_SPEECH, _LEAST_UNITS = 2000, 8  # below that, nothing is suspected
_ROUNDS = 12
_RIDGE = 1e-3
_SURE = 0.55  # nats a frame; the highest of 90 single readers tried was 0.47
_FAIR, _SEMITONES, _SPREADS = 0.3, 4.0, 2.0  # with pitch: nats, distance of medians, that in standard deviations

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """`gain` in nats a frame, after the penalty; how far the pitch of the groups is apart, and that over its spread."""

    gain: float
    semitones: float
    spreads: float

    @property
    def several(self) -> bool:
        """Whether two speakers are suspected."""
        apart = self.semitones > _SEMITONES and self.spreads > _SPREADS
        return self.gain > _SURE or (self.gain > _FAIR and apart)


@dataclass(frozen=True)
class _Units:
    count: Array  # [U] frames
    first: Array  # [U, D] sums
    second: Array  # [U, D, D] sums of products
    pitch: Array  # [U] log2 of the median F0, not a number without enough voiced frames


def speakers(frames: Frames) -> int:
    """2 when several speakers are suspected, else 1."""
    return 2 if evidence(frames).several else 1


def evidence(frames: Frames) -> Evidence:
    """The figures the suspicion rests on; all 0 with less than 20 s of speech."""
    pieces = _pieces(frames.level)
    if sum(map(len, pieces)) < _LEAST_SPEECH or len(pieces) < _LEAST_UNITS:
        return Evidence(0.0, 0.0, 0.0)
    units = _measure(frames, pieces)
    whole = np.ones(len(pieces), dtype=bool)
    best, split = -np.inf, None
    for start in _starts(units):
        if (group := _settle(units, start)) is None:
            continue
        share = units.count[group].sum() / units.count.sum()
        apart = share * _logdet(units, group) + (1 - share) * _logdet(units, ~group)
        if (gain := (_logdet(units, whole) - apart) / 2) > best:
            best, split = gain, group
    if split is None:
        return Evidence(0.0, 0.0, 0.0)
    size, total = units.first.shape[1], float(units.count.sum())
    penalty = (size + size * (size + 1) / 2) * np.log(total) / 2 / total
    return Evidence(round(float(best - penalty), 3), *_pitch_groups(units.pitch[split], units.pitch[~split]))


def _pieces(level: NDArray[np.float32]) -> list[NDArray[np.int64]]:
    """Indices of the frames of each unit: speech between pauses, long stretches cut evenly."""
    if len(level) == 0:
        return []
    active = np.flatnonzero(level > np.percentile(level, 95) - _RANGE)
    stretches = np.split(active, np.flatnonzero(np.diff(active) > _PAUSE) + 1)
    parts = (part for s in stretches for part in np.array_split(s, max(1, -(-len(s) // _LONGEST))))
    return [part for part in parts if len(part) >= _SHORTEST]


def _measure(frames: Frames, pieces: list[NDArray[np.int64]]) -> _Units:
    first, second, pitch = [], [], []
    for piece in pieces:
        values = frames.cepstra[piece].astype(np.float64)
        voiced = frames.f0[piece][np.isfinite(frames.f0[piece])]
        first.append(values.sum(axis=0))
        second.append(values.T @ values)
        pitch.append(float(np.log2(np.median(voiced))) if len(voiced) >= 15 else np.nan)
    count = np.array([len(piece) for piece in pieces], dtype=np.float64)
    return _Units(count, np.array(first), np.array(second), np.array(pitch))


def _starts(units: _Units) -> list[NDArray[np.bool_]]:
    """First guesses: the units' means split along their three main directions, and the pitch at its median."""
    means = units.first / units.count[:, None]
    means = (means - means.mean(axis=0)) / (means.std(axis=0) + 1e-9)
    main = np.linalg.svd(means, full_matrices=False)[0][:, :3]
    starts = [column > np.median(column) for column in main.T]
    if np.isfinite(units.pitch).any():
        starts.append(units.pitch > np.nanmedian(units.pitch))
    return starts


def _settle(units: _Units, group: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Move units to the Gaussian that fits them better until none moves; None when a side runs empty."""
    for _ in range(_ROUNDS):
        if min(group.sum(), (~group).sum()) < 2:
            return None
        moved = _fit(units, group) > _fit(units, ~group)
        if (moved == group).all():
            break
        group = moved
    return group if min(group.sum(), (~group).sum()) >= 2 else None


def _gaussian(units: _Units, chosen: NDArray[np.bool_]) -> tuple[Array, Array]:
    total = units.count[chosen].sum()
    mean = units.first[chosen].sum(axis=0) / total
    spread = units.second[chosen].sum(axis=0) / total - np.outer(mean, mean)
    return mean, spread + _RIDGE * np.eye(len(mean))


def _logdet(units: _Units, chosen: NDArray[np.bool_]) -> float:
    return float(np.linalg.slogdet(_gaussian(units, chosen)[1])[1])


def _fit(units: _Units, chosen: NDArray[np.bool_]) -> Array:
    """Twice the log likelihood of each unit under the Gaussian of the chosen ones, up to a constant, [U]."""
    mean, spread = _gaussian(units, chosen)
    inverse = np.linalg.inv(spread)
    square = np.einsum("uij,ij->u", units.second, inverse) - 2 * units.first @ inverse @ mean
    constant = mean @ inverse @ mean + np.linalg.slogdet(spread)[1]
    return np.asarray(-(square + units.count * constant))


def _pitch_groups(one: Array, other: Array) -> tuple[float, float]:
    """Distance of the medians of log2 pitch in semitones, and in standard deviations within the groups."""
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    if min(len(one), len(other)) < 2:
        return 0.0, 0.0
    apart = abs(float(np.median(one) - np.median(other)))
    spread = np.sqrt((one.var() * len(one) + other.var() * len(other)) / (len(one) + len(other)))
    return round(12 * apart, 2), round(apart / max(float(spread), 0.03), 2)
