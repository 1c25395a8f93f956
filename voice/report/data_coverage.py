"""What `coverage.json` says: the words of the transcript that were found, and those that were not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voice.report.data_tables import Row, number


@dataclass(frozen=True)
class Words:
    """Words of the transcript that have a sound: all, those in accepted segments, those in segments set aside, and
    those not found in the sound; `coverage` is the share in accepted segments. None where that is not recorded."""

    total: int | None
    aligned: int | None
    quarantined: int | None
    unspoken: int | None
    coverage: float | None


def counts(coverage: Mapping[str, Any] | None) -> Words:
    """The numbers of words."""
    found = (coverage or {}).get("words")
    row = found if isinstance(found, dict) else {}
    total, aligned, quarantined, unspoken = (
        None if (value := number(row, key)) is None else int(value)
        for key in ("total", "aligned", "quarantined", "unspoken")
    )
    return Words(total, aligned, quarantined, unspoken, number(coverage or {}, "coverage"))


def rows(coverage: Mapping[str, Any] | None, key: str) -> list[Row]:
    """A list of objects: `unspoken` (where, text, words), `untranscribed` (recording, start, end, segment), `faults` of
    the transcript (where, reason, detail)."""
    items = (coverage or {}).get(key)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
