"""Marks that can be heard, off by default: a soft rhythm or a spoken sentence at the start or the end of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from voice.audio import resample
from voice.mastering.blocks import Wave, as_float

Place = Literal["start", "end", "both"]
_RHYTHM = ((1, 1), (3, 3), (1, 1), (1, 0))  # lengths of (tone, silence): "AI" in Morse signs, short long, short short
_SILENCE = 0.5  # seconds between a mark and the speech


class Mark(Protocol):
    """`lead` and `tail` give float32 [N] at `rate` Hz, [0] for none. Chapters and subtitles move by the lead."""

    @property
    def name(self) -> str:
        """What the sidecar calls it."""

    def lead(self, rate: int) -> Wave:
        """What is heard before the speech."""

    def tail(self, rate: int) -> Wave:
        """What is heard after it."""


@dataclass(frozen=True)
class NoMark:
    """The default: nothing to hear."""

    name: str = "none"

    def lead(self, rate: int) -> Wave:
        """Nothing."""
        return np.zeros(0, dtype=np.float32)

    def tail(self, rate: int) -> Wave:
        """Nothing."""
        return np.zeros(0, dtype=np.float32)


@dataclass(frozen=True)
class ToneMark:
    """The rhythm short long, short short, which GB 45438 names for generated sound, softly: 1 s at -30 dBFS."""

    place: Place = "start"
    hertz: float = 880.0
    unit: float = 0.09
    level_db: float = -30.0
    name: str = "tone"

    def lead(self, rate: int) -> Wave:
        """The rhythm and a short silence when it stands at the start."""
        return _at("start", self.place, self._sound(rate), rate)

    def tail(self, rate: int) -> Wave:
        """A short silence and the rhythm when it stands at the end."""
        return _at("end", self.place, self._sound(rate), rate)

    def _sound(self, rate: int) -> Wave:
        parts = []
        for tone, silence in _RHYTHM:
            length = round(tone * self.unit * rate)
            edge = np.minimum(1.0, np.minimum(np.arange(length), np.arange(length)[::-1]) / (0.01 * rate))
            parts += [np.sin(2 * np.pi * self.hertz * np.arange(length) / rate) * edge]
            parts += [np.zeros(round(silence * self.unit * rate))]
        return (np.concatenate(parts) * 10.0 ** (self.level_db / 20.0)).astype(np.float32)


@dataclass(frozen=True)
class SpokenMark:
    """A sentence such as "This is a synthetic voice", rendered by the caller: float32 [N] at `rate` Hz."""

    audio: Wave
    rate: int
    place: Place = "start"
    name: str = "spoken"

    def lead(self, rate: int) -> Wave:
        """The sentence and a short silence when it stands at the start."""
        return _at("start", self.place, resample(self.audio, self.rate, rate), rate)

    def tail(self, rate: int) -> Wave:
        """A short silence and the sentence when it stands at the end."""
        return _at("end", self.place, resample(self.audio, self.rate, rate), rate)


def with_mark(blocks: Iterable[NDArray[Any]], rate: int, mark: Mark) -> Iterator[Wave]:
    """The stream, float32, with the mark before and behind it."""
    if len(lead := mark.lead(rate)):
        yield lead
    yield from map(as_float, blocks)
    if len(tail := mark.tail(rate)):
        yield tail


def _at(end: str, place: Place, sound: Wave, rate: int) -> Wave:
    if place not in (end, "both"):
        return np.zeros(0, dtype=np.float32)
    silence = np.zeros(round(_SILENCE * rate), dtype=np.float32)
    return np.concatenate([sound, silence] if end == "start" else [silence, sound])
