"""Where each line lies in the book: pauses by punctuation, structure and script, or the slots of subtitles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.narration.request import place_of, shown_text
from pipeline.narration.store import Known
from pipeline.scripts import Script, ScriptLine
from voice.mastering.chapters import Chapter
from voice.mastering.pauses import GAPS, Pauses

_LATE = 0.05  # seconds that nobody sees


@dataclass(frozen=True, slots=True)
class Placed:
    """A line that is in the book: seconds of silence before it, samples `start` to `end` of the whole."""

    line: ScriptLine
    key: str
    pause: float
    start: int
    end: int


@dataclass(frozen=True)
class Layout:
    """The lines of a book at `rate` Hz, in order, and what did not fit."""

    rate: int
    placed: list[Placed]
    warnings: list[str]

    @property
    def samples(self) -> int:
        """Length of the whole."""
        return self.placed[-1].end if self.placed else 0

    def chapters(self, titles: Sequence[str], lead: float = 0.0) -> list[Chapter]:
        """Chapters that have a line, in seconds; none where a book has one without a title.

        A chapter lasts up to the first line of the next, so the pause between belongs to the one before. A mark of
        `lead` seconds before the speech belongs to the first: MP4 has no place outside of chapters.
        """
        firsts: dict[int, int] = {}
        for entry in self.placed:
            firsts.setdefault(entry.line.chapter, entry.start)
        if len(firsts) < 2 and not any(titles):
            return []
        inner = [start / self.rate + lead for start in list(firsts.values())[1:]]
        edges = [0.0, *inner, self.samples / self.rate + lead]
        return [
            Chapter(titles[number] or f"Chapter {place}", start, end)
            for place, (number, (start, end)) in enumerate(zip(firsts, pairwise(edges), strict=True), start=1)
        ]


def lay_out(
    script: Script, keys: Sequence[str], done: Mapping[str, Known], rate: int, pauses: Pauses | None = None
) -> Layout:
    """Place every line that is done; one that is missing leaves no hole, but the gap before it stays."""
    pauses = pauses or Pauses()
    placed: list[Placed] = []
    warnings: list[str] = []
    before: str | None = None
    position, gap = 0, "start"
    for line, key in zip(script.lines, keys, strict=True):
        gap = max(gap, line.gap, key=GAPS.index)
        if (known := done.get(key)) is None:
            continue
        if line.start is None:
            pause = pauses.before(before, gap, line.pause)
        else:
            pause = max(0.0, line.start - known.speech[0] - position / rate)
            warnings += _late(script, line, known, (position + round(pause * rate)) / rate)
        start = position + round(pause * rate)
        position = start + known.frames
        placed.append(Placed(line, key, pause, start, position))
        before, gap = shown_text(line.text), "start"
    return Layout(rate, placed, warnings)


def _late(script: Script, line: ScriptLine, known: Known, start: float) -> list[str]:
    """Warnings about a line that is longer than its slot, or begins after its time."""
    where, found = place_of(script, line), []
    if known.late:
        found.append(f"{where}: {known.late:.2f} s longer than its slot, at twice the usual speed")
    delay = start + known.speech[0] - (line.start or 0.0)
    if delay > _LATE and line.start is not None and line.start >= known.speech[0]:
        found.append(f"{where}: begins {delay:.2f} s late, the line before is too long")
    return found
