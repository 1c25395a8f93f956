"""The figures on top of the data report, which are also what `reprovoice data report --json` prints."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from voice.report.data_coverage import Words, counts
from voice.report.data_tables import Row, Tables, duration, seconds, word

NO_SPEECH = "no_speech"


@dataclass(frozen=True)
class Amount:
    """So many items, so many seconds; `share` of the time of all segments, None where that is 0 or not asked."""

    items: int
    seconds: float
    share: float | None = None


@dataclass(frozen=True)
class Reason:
    """What one reason took out: `table` is recordings, segments or aligned."""

    table: str
    reason: str
    items: int
    seconds: float


@dataclass(frozen=True)
class Summary:
    """Figures of a voice's data. Seconds are those of the clean recordings."""

    recordings: int
    seconds: float
    silence_seconds: float
    accepted: Amount
    quarantined: Amount
    left_out: Amount
    waiting: Amount
    no_speech: Amount
    rejected_recordings: Amount
    held_out: int
    draft: int
    edited: int
    reasons: list[Reason]
    words: Words
    languages: dict[str, int]
    consent: dict[str, str] | None
    edits: int

    def facts(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def summarise(tables: Tables) -> Summary:
    """The figures of `tables`; what is missing counts nothing."""
    placed = {word(row, "id") for row in (*tables.aligned, *tables.quarantined)}
    # A table of align that is older than the segments says nothing of those it does not name.
    waiting = [row for row in tables.segments if word(row, "id") not in placed]
    # A recording of music is left out as a whole, and none of it is lost speech.
    lost = [row for row in tables.rejected_segments if word(row, "reason") != NO_SPEECH]
    empty = [row for row in tables.rejected_segments if word(row, "reason") == NO_SPEECH]
    speech = [tables.aligned, tables.quarantined, lost, waiting]
    all_speech = sum(seconds(rows) for rows in speech)
    accepted, quarantined, left_out, waits = (_amount(rows, all_speech) for rows in speech)
    total = sum(duration(row) for row in tables.recordings)
    return Summary(
        recordings=len(tables.recordings),
        seconds=round(total, 3),
        silence_seconds=round(max(0.0, total - all_speech - seconds(empty)), 3),
        accepted=accepted,
        quarantined=quarantined,
        left_out=left_out,
        waiting=waits,
        no_speech=_amount(empty, 0.0),
        rejected_recordings=_amount(tables.rejected_recordings, 0.0),
        held_out=sum(row.get("split") == "held_out" for row in tables.aligned),
        draft=sum(bool(row.get("draft")) for row in tables.aligned),
        edited=sum(bool(row.get("edited")) for row in tables.aligned),
        reasons=[
            *_reasons("recordings", tables.rejected_recordings),
            *_reasons("segments", tables.rejected_segments),
            *_reasons("aligned", tables.quarantined),
        ],
        words=counts(tables.coverage),
        languages=dict(sorted(Counter(word(row, "lang") or "?" for row in tables.aligned).items())),
        consent={"basis": tables.consent.basis, "scope": tables.consent.scope} if tables.consent else None,
        edits=len(tables.edits),
    )


def _amount(rows: list[Row], whole: float) -> Amount:
    time = seconds(rows)
    return Amount(len(rows), round(time, 3), round(time / whole, 4) if whole > 0 else None)


def _reasons(table: str, rows: list[Row]) -> list[Reason]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(word(row, "reason") or "?", []).append(row)
    order = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return [Reason(table, reason, len(found), round(seconds(found), 3)) for reason, found in order]
