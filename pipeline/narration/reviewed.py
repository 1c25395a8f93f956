"""The lines of a narration as the page of doubtful lines shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.narration.records import line_name
from pipeline.review import Attempt, ReviewLine, write_review

if TYPE_CHECKING:
    from pipeline.narration.job import Narration


def review(job: Narration, gate: str) -> None:
    """Write review.html into the output folder; `gate` names what listened."""
    write_review(job.out, job.script.title or job.script.path.stem, _lines(job), gate)


def _lines(job: Narration) -> Iterator[ReviewLine]:
    for line, key in zip(job.script.lines, job.keys, strict=True):
        chapter, voice = job.script.chapters[line.chapter], job.requests[key].voice
        known = job.done.get(key)
        if known is None:
            error = job.errors.get(key, "not rendered")
            yield ReviewLine(line.number, line.text, voice, None, (), chapter=chapter, error=error)
        elif known.attempts > 1 or not known.ok:  # others are not shown, so their facts need not be read
            facts = job.store.facts(key) or {}
            attempts = tuple(Attempt(one["seed"], tuple(one["reasons"])) for one in facts.get("attempts", ()))
            name, kept = line_name(line, key), facts.get("attempt", 0)
            yield ReviewLine(line.number, line.text, voice, name, attempts, kept, chapter)
        else:
            yield ReviewLine(line.number, line.text, voice, line_name(line, key), (Attempt(known.seed),), 0, chapter)
