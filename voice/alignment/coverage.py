"""What became of every word of the transcript and of every second of speech."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from voice.alignment.jobs import Job
from voice.alignment.spoken import Spoken
from voice.transcript import join


def coverage(
    results: Sequence[tuple[Job, Sequence[Spoken]]],
    accepted: Iterable[Mapping[str, Any]],
    rejected: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """Counts of words and seconds, the words that no accepted segment holds by line, and speech without a word.

    Words are those with a sound. `aligned`: those in an accepted segment; `quarantined`: those in a rejected one;
    `unspoken`: those that were not found in the sound.
    """
    good = {row["id"]: row for row in accepted}
    bad = {row["id"]: row for row in rejected}
    counts = {"aligned": 0, "quarantined": 0, "unspoken": 0}
    lines: dict[str, dict[str, Any]] = {}
    for job, spoken in results:
        if job.source == "reviewer":
            continue  # they stand in place of words that are counted already
        where = {number: row["id"] for row, one in zip(job.segments, spoken, strict=True) for number in one.words}
        fate = [
            "unspoken" if number not in where else "aligned" if where[number] in good else "quarantined"
            for number in range(len(job.words))
        ]
        for number, word in enumerate(job.words):
            counts[fate[number]] += bool(word.units)
        for line, numbers in groupby(range(len(job.words)), key=lambda n, job=job: job.lines[n].where):  # type: ignore[misc]
            lost = [n for n in numbers if fate[n] == "unspoken" and job.words[n].units]
            if lost:
                text = join([job.words[n].token for n in lost])
                lines[line] = {"where": line, "words": len(lost), "text": text}
    total = sum(counts.values())
    return {
        "words": {"total": total, **counts},
        "coverage": round(counts["aligned"] / total, 4) if total else 0.0,
        "unspoken": list(lines.values()),
        "untranscribed": [
            {"recording": row["recording"], "start": row["start"], "end": row["end"], "segment": row["id"]}
            for row in bad.values()
            if row["reason"] in ("no_words", "untranscribed")
        ],
        "seconds": {
            "accepted": round(sum(row["seconds"] for row in good.values()), 3),
            "rejected": round(sum(row["seconds"] for row in bad.values()), 3),
        },
    }
