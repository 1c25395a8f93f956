"""How long a narration will take, from how long lines took before; and which lines stand in for others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.narration.store import Known, LineStore, known

_SAMPLE = 500  # lines of other scripts that are looked at when this one has none


class Speed(NamedTuple):
    """Seconds of work and of speech for one character."""

    work: float
    speech: float


def measured(done: Iterable[Known], store: LineStore) -> Speed | None:
    """From the lines of this script that were rendered before, else from any; None while there is none."""
    return _mean(done) or _mean(known(facts) for facts in store.some(_SAMPLE))


def _mean(lines: Iterable[Known]) -> Speed | None:
    work = speech = 0.0
    characters = 0
    for line in lines:
        work, speech, characters = work + line.took, speech + line.seconds, characters + line.characters
    return Speed(work / characters, speech / characters) if characters else None


def changed(before: Sequence[str], now: Sequence[str], fresh: Collection[str]) -> int:
    """How many of `fresh` keys stand behind the same neighbour as one that is gone: edited lines, in short."""
    kept = set(before) & set(now)
    gone, new = Counter(_neighbours(before, kept)), Counter(_neighbours(now, kept, fresh))
    return sum(min(count, gone[place]) for place, count in new.items())


def _neighbours(keys: Sequence[str], kept: Collection[str], only: Collection[str] | None = None) -> Iterator[str]:
    """For each key that is not kept, the kept one before it."""
    last = ""
    for key in keys:
        if key in kept:
            last = key
        elif only is None or key in only:
            yield last
