"""Where speech is in a recording: a detector's verdict, corrected by the level. Frames of 10 ms.

The detector (WebRTC's above all) wakes late, sleeps late, and misses what is weak: onsets, fricatives, final
consonants. Its verdict is therefore only the seed. Whatever rises above a threshold and touches a seed is speech; what
of a seed stays under it is none, and weak sound that goes on for longer than a consonant is breath. The thresholds
follow the noise floor and the level of the speech nearby.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from voice.levels import FLOOR_DB
from voice.slicing.detectors import RATE, Detector, Stream
from voice.slicing.steadiness import Steadiness

STEP = 0.01  # seconds a frame
Flags = NDArray[np.bool_]
Levels = NDArray[np.float32]
_BLOCK_SECONDS = 10
_NEAR = 10  # seconds to each side that count for the local noise floor and the local level of speech
_JOIN = 0.1  # seconds; the closure of a stop is shorter, so sound this close to speech is part of it
_WEAK = 0.08  # seconds of weak sound that belong to speech before and after what is strong; more is breath
_LONE = 0.06  # seconds of sound that no detector called speech but that lies beside it; less is a click
_BESIDE = 0.4
_FLAT_DB = 5.5  # from the 5th to the 95th percentile: noise and held notes vary less, speech in equal noise by 8
_STEADY = 0.36  # see `voice.slicing.steadiness`
_CLEAR_DB = 20.0  # speech this far above the noise can be found by its level alone


@dataclass(frozen=True)
class Heard:
    """One pass over a recording: level of each 10 ms in dBFS, the detector's verdict on it, and totals."""

    level: Levels
    flags: Flags
    samples: int
    rate: int
    peak: float
    steady: float = 0.0

    @property
    def seconds(self) -> float:
        return self.samples / self.rate


@dataclass(frozen=True)
class Sensitivity:
    """dB above the noise floor and below the loud parts of speech where sound counts, and where it is strong.

    `min_speech`, seconds: what the detector calls speech for a shorter time is no seed.
    """

    margin_db: float = 8.0
    range_db: float = 33.0
    strong_db: float = 20.0
    min_speech: float = 0.1


def listen(path: Path, used: Detector) -> Heard:
    """Read a mono file once, in blocks of 10 s; `rate` is a multiple of 50 Hz. Of the audio one block is in memory."""
    levels: list[Levels] = []
    peak, samples, left = 0.0, 0, np.zeros(0, dtype=np.float32)
    stream, steadiness = Stream(used), Steadiness()
    with soundfile.SoundFile(path) as file:
        rate, grid = file.samplerate, file.samplerate // 50
        resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
        while len(block := file.read(rate * _BLOCK_SECONDS, dtype="float32")):
            samples += len(block)
            peak = max(peak, float(np.abs(block).max()))
            at16k = block if rate == RATE else resampler.resample_chunk(block)
            stream.feed(at16k)
            steadiness.feed(at16k)
            left = np.concatenate([left, block])
            whole = len(left) // grid * grid
            levels.append(_levels(left[:whole].reshape(-1, grid)))
            left = left[whole:]
        if rate != RATE:
            stream.feed(resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
    level = np.concatenate([np.zeros(0, dtype=np.float32), *levels])
    return Heard(level, stream.flags(len(level)), samples, rate, peak, steadiness.value())


def _levels(frames: NDArray[np.float32]) -> Levels:
    """dBFS of both halves of each 20 ms frame, so that 10 ms steps stay in time with frames of an odd length."""
    half = frames.shape[1] // 2
    power = np.stack([np.square(part).mean(axis=1) for part in (frames[:, :half], frames[:, half:])], axis=1)
    return np.maximum(FLOOR_DB, 10.0 * np.log10(np.maximum(power, 1e-30))).astype(np.float32).ravel()


def runs(flags: Flags) -> list[tuple[int, int]]:
    """Start and end (not included) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def close(flags: Flags, gap: int) -> Flags:
    """`flags` with gaps of fewer than `gap` frames between two runs filled."""
    out = flags.copy()
    found = runs(flags)
    for (_, end), (start, _) in zip(found, found[1:], strict=False):
        if start - end < gap:
            out[end:start] = True
    return out


def floor(level: Levels) -> Levels:
    """The noise floor around each frame, dBFS: the 10th percentile of the levels within 10 s (speech has pauses)."""
    return _local(level, np.ones(len(level), dtype=np.bool_), 10.0, FLOOR_DB)


def _local(values: Levels, chosen: Flags, percent: float, fallback: float) -> Levels:
    """Percentile of the chosen frames within 10 s of each frame, by seconds; `fallback` where hardly any is chosen."""
    block, out = round(1 / STEP), np.full(len(values), fallback, dtype=np.float32)
    for start in range(0, len(values), block):
        near = slice(max(0, start - _NEAR * block), start + (_NEAR + 1) * block)
        picked = values[near][chosen[near]]
        if len(picked) >= 20:
            out[start : start + block] = np.percentile(picked, percent)
    return out


def speech(heard: Heard, how: Sensitivity) -> tuple[Flags, str]:
    """True for each 10 ms of speech, [frames], and where there is none a few words that say why."""
    level, seeds = heard.level, close(heard.flags, round(_JOIN / STEP))
    for start, end in runs(seeds):
        if (end - start) * STEP < how.min_speech:
            seeds[start:end] = False
    nothing = np.zeros(len(level), dtype=np.bool_)
    if not seeds.any():
        return nothing, "the detector hears no speech"
    if (varies := float(np.ptp(np.percentile(level[seeds], [5, 95])))) < _FLAT_DB:
        return nothing, f"its level varies by {varies:.1f} dB only, as that of noise or of a held sound"
    if heard.steady > _STEADY:
        return nothing, f"its tones are held ({heard.steady:.2f} > {_STEADY}), as those of music"
    out = _refine(level, seeds, how)
    return out, "" if out.any() else "what the detector takes for speech does not rise above the noise"


def _refine(level: Levels, seeds: Flags, how: Sensitivity) -> Flags:
    """Sound above the thresholds that touches a seed, or lies beside such sound and is no click."""
    low = floor(level)
    loud = _local(level, seeds, 95.0, float(np.percentile(level[seeds], 95)))
    middle = (low + loud) / 2  # in strong noise no threshold may lie above half of what speech adds
    threshold = np.minimum(np.maximum(low + how.margin_db, loud - how.range_db), middle)
    active = (level >= threshold) | (seeds & (loud - low < _CLEAR_DB))
    strong = active & (level >= np.minimum(loud - how.strong_db, middle))
    weak, reach = round(_WEAK / STEP), round(_BESIDE / STEP)
    out, lone = np.zeros(len(level), dtype=np.bool_), []
    for start, end in runs(close(active, round(_JOIN / STEP))):
        sure = np.flatnonzero(strong[start:end])
        if not len(sure):
            continue
        first, last = max(start, start + int(sure[0]) - weak), min(end, start + int(sure[-1]) + 1 + weak)
        if seeds[first:last].any():
            out[first:last] = True
        elif int(active[first:last].sum()) * STEP >= _LONE:
            lone.append((first, last))
    near = out.copy()
    for first, last in lone:
        if near[max(0, first - reach) : last + reach].any():
            out[first:last] = True
    return out & active
