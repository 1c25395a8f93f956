"""All figures of one take, before any limit is put to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from voice.alignment.evidence import quieten
from voice.alignment.forced import Placed, place_units
from voice.audio import resample
from voice.gate.ear import FRAME, Ear
from voice.gate.expectation import Expectation
from voice.gate.said import Said, told
from voice.gate.sound import RATE, Level, fill_db, flat_share
from voice.gate.trellis import Trellis
from voice.gate.wording import findings
from voice.levels import FLOOR_DB

QUIETER = 2.5  # nats
CLEAN = -36.0  # dB, see `fill_db`: what is cleaner than usual may become noisier than it was


@dataclass(frozen=True)
class Scores:
    """`figures` by name, see `voice.gate.limits`; `words` are the words that some of them concern."""

    figures: Mapping[str, float]
    words: Mapping[str, str] = field(default_factory=dict)


def measure(audio: NDArray[np.float32], rate: int, words: Sequence[Said], expected: Expectation, ear: Ear) -> Scores:
    """Figures of `audio` [N] at `rate` Hz that was meant to say `words`."""
    wave = resample(audio, rate, RATE)
    level = Level.of(wave)
    figures: dict[str, float] = {"level": level.loud, "clipping": flat_share(audio)}
    if level.loud <= FLOOR_DB or not words:
        return Scores(figures)
    silences = level.silences()
    figures["end"] = level.end()
    figures["pause"] = max((b - a for a, b in silences), default=0.0)
    figures["fill"] = fill_db(wave)
    if expected.fill is not None:
        figures["noise"] = figures["fill"] - max(expected.fill, CLEAN)
    count = sum(len(one.units) for one in words)
    if expected.pace and level.speech() > 0:
        figures["pace"] = float(np.log2(count / level.speech() / expected.pace))
    for name, value in (("likeness", expected.likeness(wave)), ("pitch", expected.semitones(wave))):
        if value is not None:
            figures[name] = value
    told_words = _listen(ear.hear(wave), words, silences, figures)
    return Scores({name: round(float(value), 4) for name, value in figures.items()}, told_words)


def _listen(
    logs: NDArray[np.float32],
    words: Sequence[Said],
    silences: Sequence[tuple[float, float]],
    figures: dict[str, float],
) -> dict[str, str]:
    """Add what the ear makes of the words to `figures`; returns the words concerned."""
    units = [unit for one in words for unit in one.units]
    if len(logs) == 0:
        figures["room"] = -float(len(units))
        return {}
    trellis = Trellis(_louder(logs), units)
    if not trellis.fits:
        figures["room"] = float(len(logs) - len(units))
        return {}
    figures["likely"] = (float(logs.max(axis=1).sum()) - trellis.score) / len(units)
    about: dict[str, str] = {}
    for kind, found in findings(trellis, words).items():
        figures[kind] = max(found.nats, -99.0)
        about[kind] = told(words[found.start : found.end])
    for name, (seconds, where) in _dead_air(place_units(torch.from_numpy(logs), units), words, silences).items():
        figures[name], about[name] = seconds, where
    return about


def _louder(logs: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same with silence less likely: an ear of this size hears too much of it in a voice it does not know."""
    return np.asarray(quieten(torch.from_numpy(logs), QUIETER).numpy(), dtype=np.float32)


def _dead_air(
    placed: Sequence[Placed], words: Sequence[Said], silences: Sequence[tuple[float, float]]
) -> dict[str, tuple[float, str]]:
    """The longest silence (s) inside a word, "dead", and after one without a mark, "gap", with the words around it.

    A silence has sound on both sides; where the ear heard none of the text on one of them, it is a gap too.
    """
    owner = [number for number, one in enumerate(words) for _ in one.units]
    found = {"dead": (0.0, ""), "gap": (0.0, "")}
    for start, end in silences:
        middle = (start + end) / 2
        after = sum(one.start * FRAME < middle for one in placed)
        left, right = owner[max(0, after - 1)], owner[min(after, len(owner) - 1)]
        name = "dead" if left == right and 0 < after < len(owner) else "gap"
        if name == "gap" and words[left].pause and 0 < after < len(owner):
            continue
        if end - start > found[name][0]:
            found[name] = (end - start, told(words[left : right + 1]))
    return found
