"""The first look at a recording: is all of it there, which of its channels speak, and how many channels clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice.levels import FULL_SCALE
from voice.measures.loudness import BLOCK as SHORTEST
from voice.measures.peaks import Clipping
from voice.recording.decode import BadAudioError, open_audio

RATES, CHANNELS = (4000, 768000), 64
_DEAD = 10.0**-3.0  # of the power of the loudest channel: 30 dB
_AGAINST = -0.5  # correlation with the loudest channel: wired the wrong way round
_LOUDEST = 10.0  # full scales; a peak above means integers in a float file
_EIGHT_BIT = 126.5 / 128.0  # 8 bit files end at 127/128


@dataclass(frozen=True)
class Survey:
    """A recording that decodes to its end. `kept` are the channels to average, `dc` is the mean of that average."""

    kind: str
    format: str
    rate: int
    channels: int
    frames: int
    kept: tuple[int, ...]
    dc: float
    clipped: int
    notes: tuple[str, ...]


def survey(path: Path) -> Survey:
    """Decode the whole file once. Raises BadAudioError with reason `empty`, `not_audio`, `truncated`, `not_finite`,
    `too_short` (0.4 s, the least that loudness is defined for), `unsupported` or `out_of_range`."""
    with open_audio(path) as source:
        if not (RATES[0] <= source.rate <= RATES[1] and source.channels <= CHANNELS):
            detail = f"{source.channels} channels at {source.rate} Hz"
            raise BadAudioError(path, "unsupported", detail, f"use {RATES[0]} Hz or more, {CHANNELS} channels or less")
        frames, peak = 0, 0.0
        total, products = np.zeros(source.channels), np.zeros((source.channels, source.channels))
        clipping = Clipping(source.channels, full_scale=_EIGHT_BIT if "_U8" in source.format else FULL_SCALE)
        for block in source.blocks:
            wide = block.astype(np.float64)
            frames += len(block)
            peak = max(peak, float(np.abs(block).max()))
            total += wide.sum(axis=0)
            products += wide.T @ wide
            clipping.add(block)
    if frames == 0:
        raise BadAudioError(path, "empty", "holds no samples", "record or copy it again")
    if frames <= SHORTEST * source.rate:
        raise BadAudioError(path, "too_short", f"{frames / source.rate:.2f} s", f"at least {SHORTEST} s")
    if peak > _LOUDEST:
        raise BadAudioError(path, "out_of_range", f"values up to {peak:g}", "export it again, full scale 1.0")
    mean = total / frames
    kept, notes = _channels(products / frames - np.outer(mean, mean))
    return Survey(
        kind=source.kind,
        format=source.format,
        rate=source.rate,
        channels=source.channels,
        frames=frames,
        kept=kept,
        dc=round(float(mean[list(kept)].mean()), 6),
        clipped=int(clipping.runs[list(kept)].max()),
        notes=(*(["format_mismatch"] if source.misnamed else []), *notes),
    )


def _channels(covariance: NDArray[np.float64]) -> tuple[tuple[int, ...], list[str]]:
    """Channels that carry the sound: not those 30 dB under the loudest, nor those that would cancel it."""
    power = np.diag(covariance)
    loudest = int(power.argmax())
    alive = power > power[loudest] * _DEAD
    if not alive.any():
        return tuple(range(len(power))), []
    likeness = covariance[loudest] / np.sqrt(np.maximum(power * power[loudest], 1e-30))
    against = alive & (likeness < _AGAINST)
    notes = (["dead_channel"] if not alive.all() else []) + (["inverted_channel"] if against.any() else [])
    return tuple(int(c) for c in np.flatnonzero(alive & ~against)), notes


def mono(blocks: Iterable[NDArray[np.float32]], kept: tuple[int, ...]) -> Iterator[NDArray[np.float32]]:
    """The average of the kept channels of each block [N, channels], [N]."""
    for block in blocks:
        chosen = block if len(kept) == block.shape[1] else block[:, list(kept)]
        yield np.ascontiguousarray(chosen.mean(axis=1, dtype=np.float32))
