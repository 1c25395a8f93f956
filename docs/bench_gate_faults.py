"""Faults for docs/bench_gate.py: copies of a clip with one thing wrong, spliced without clicks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]
FADE = 0.008  # seconds: what is joined is joined softly, so that no click tells
LEAST_UNITS = 2  # sounds of a word that is lost, doubled or swapped


@dataclass(frozen=True)
class Spoken:
    """A clip with the place of each word: `times` in seconds; `sizes` are the words' numbers of sounds."""

    wave: Wave
    rate: int
    words: Sequence[str]
    sizes: Sequence[int]
    times: Sequence[tuple[float, float]]

    def part(self, start: float, end: float) -> Wave:
        """Samples from `start` to `end` seconds."""
        return self.wave[max(0, round(start * self.rate)) : max(0, round(end * self.rate))]


@dataclass(frozen=True)
class Fault:
    """A faulty copy: its samples, what was done, and how many sounds it concerns (0: not a matter of words)."""

    wave: Wave
    done: str
    sounds: int = 0


def splice(rate: int, *parts: Wave) -> Wave:
    """Parts on end, each joint crossfaded over 8 ms."""
    result = parts[0]
    for part in parts[1:]:
        size = min(round(FADE * rate), len(result), len(part))
        if size == 0:
            result = np.concatenate([result, part])
            continue
        up = np.linspace(0.0, 1.0, size, dtype=np.float32)
        mixed = result[len(result) - size :] * (1 - up) + part[:size] * up
        result = np.concatenate([result[: len(result) - size], mixed, part[size:]])
    return result


def _word(clip: Spoken, pick: random.Random, last: int = 0) -> int:
    """The number of a word of enough sounds, not among the `last` ones."""
    fit = [n for n, size in enumerate(clip.sizes[: len(clip.sizes) - last]) if size >= LEAST_UNITS]
    return pick.choice(fit)


def cut(clip: Spoken, other: Spoken, pick: random.Random) -> Fault:
    """A word lost, or the last fifth: to the nearest beginning of a word, or wherever it falls."""
    kind = pick.choice(["word", "word", "end at a word", "end"])
    length = len(clip.wave) / clip.rate
    if kind == "word":
        n = _word(clip, pick)
        start, end = clip.times[n]
        wave = splice(clip.rate, clip.part(0, start), clip.part(end, length))
        return Fault(wave, f"lost {clip.words[n]}", clip.sizes[n])
    first, last = clip.times[0][0], clip.times[-1][1]
    at = last - 0.2 * (last - first)
    if kind == "end at a word":
        at = min((start for start, _ in clip.times[1:]), key=lambda start: abs(start - at))
    lost = sum(size for size, (start, _) in zip(clip.sizes, clip.times, strict=True) if start >= at - 1e-6)
    faded = clip.part(0, at).copy()
    size = min(len(faded), round(FADE * clip.rate))
    faded[len(faded) - size :] *= np.linspace(1.0, 0.0, size, dtype=np.float32)
    return Fault(faded, f"{kind} at {at:.2f} s", max(1, lost))


def doubled(clip: Spoken, other: Spoken, pick: random.Random) -> Fault:
    """A word said twice."""
    n = _word(clip, pick)
    start, end = clip.times[n]
    length = len(clip.wave) / clip.rate
    wave = splice(clip.rate, clip.part(0, end), clip.part(start, end), clip.part(end, length))
    return Fault(wave, f"twice {clip.words[n]}", clip.sizes[n])


def swapped(clip: Spoken, other: Spoken, pick: random.Random) -> Fault:
    """Two words exchanged (at most two others between them), or a word of another clip in place of one."""
    length = len(clip.wave) / clip.rate
    if pick.random() < 0.5:
        pairs = [
            (a, b)
            for a in range(len(clip.words))
            for b in range(a + 1, min(len(clip.words), a + 4))
            if min(clip.sizes[a], clip.sizes[b]) >= LEAST_UNITS and clip.words[a] != clip.words[b]
        ]
        if pairs:
            a, b = pick.choice(pairs)
            (s, e), (u, v) = clip.times[a], clip.times[b]
            middle = [clip.part(e, u)] if u - e > 2 * FADE else []
            wave = splice(clip.rate, clip.part(0, s), clip.part(u, v), *middle, clip.part(s, e), clip.part(v, length))
            return Fault(wave, f"exchanged {clip.words[a]} {clip.words[b]}", clip.sizes[a] + clip.sizes[b])
    n = _word(clip, pick)
    fit = [m for m, word in enumerate(other.words) if other.sizes[m] >= LEAST_UNITS and word != clip.words[n]]
    m = min(fit, key=lambda m: (abs(other.sizes[m] - clip.sizes[n]), pick.random()))
    start, end = clip.times[n]
    wave = splice(clip.rate, clip.part(0, start), other.part(*other.times[m]), clip.part(end, length))
    return Fault(wave, f"{other.words[m]} for {clip.words[n]}", clip.sizes[n])


def noise(clip: Spoken, other: Spoken, pick: random.Random) -> Fault:
    """White or pink noise 5 dB under the speech: all along, or in a burst of 0.4 s to 1 s."""
    draw = np.random.default_rng(pick.randrange(2**31))
    colour, size = pick.choice(["white", "pink"]), len(clip.wave)
    spectrum = np.fft.rfft(draw.standard_normal(size))
    if colour == "pink":
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), size * 50 / clip.rate))
    sound = np.fft.irfft(spectrum, size)
    start, end = 0, size
    if burst := pick.random() < 0.5:
        long = min(size, round(pick.uniform(0.4, 1.0) * clip.rate))
        start = pick.randrange(size - long + 1)
        end = start + long
    speech = np.square(clip.wave.astype(np.float64)).mean()  # over the whole clip, pauses and all
    sound *= np.sqrt(speech / 10**0.5 / np.square(sound).mean())
    wave = clip.wave.copy()
    wave[start:end] += sound[start:end].astype(np.float32)
    return Fault(wave, f"{colour} {'burst' if burst else 'all along'}")


def clipped(clip: Spoken, other: Spoken, pick: random.Random) -> Fault:
    """The clip at a peak of -1 dBFS, 18 dB louder, held at full scale."""
    loud = clip.wave / np.abs(clip.wave).max() * 10 ** (-1 / 20) * 10 ** (18 / 20)
    return Fault(np.clip(loud, -1.0, 1.0).astype(np.float32), "+18 dB")


def silent(clip: Spoken, other: Spoken, pick: random.Random) -> Fault:
    """A second of dead air inside a word (as zeros or as a faint hiss), or nothing but that."""
    draw = np.random.default_rng(pick.randrange(2**31))
    hiss = pick.choice([0.0, 10 ** (-75 / 20)])
    kind = pick.choice(["inside", "inside", "whole"])
    size = clip.rate if kind == "inside" else len(clip.wave)
    air = (hiss * draw.standard_normal(size)).astype(np.float32)
    if kind == "whole":
        return Fault(air, "whole")
    n = max(range(len(clip.words)), key=lambda n: (clip.sizes[n] >= LEAST_UNITS, pick.random()))
    middle = sum(clip.times[n]) / 2
    length = len(clip.wave) / clip.rate
    return Fault(splice(clip.rate, clip.part(0, middle), air, clip.part(middle, length)), f"inside {clip.words[n]}")


FAULTS: dict[str, Callable[[Spoken, Spoken, random.Random], Fault]] = {
    "cut": cut, "doubled": doubled, "swapped": swapped, "noise": noise, "clipping": clipped, "silence": silent,
}  # fmt: skip
