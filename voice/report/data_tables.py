"""What the data report is made from: the tables of a voice as far as they are there, and what is wrong with the rest.

A report is wanted most when a stage has stopped, so nothing here raises for a missing, older or broken table: it is
named in `gaps`, and the rows that can be read are shown all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandera.pandas as pa

from voice import contracts
from voice.consent import Consent, read_consent
from voice.edits import EDITS_FILE, apply_edits, read_edits
from voice.errors import UserError
from voice.tables import read_table, rows_of

Row = dict[str, Any]

# Table -> (file in data/<voice>, its contract, the stage that writes it).
TABLES = {
    "recordings": ("recordings.jsonl", "Recordings", "ingest"),
    "rejected_recordings": ("recordings.rejected.jsonl", "RejectedRecordings", "ingest"),
    "segments": ("segments.jsonl", "Segments", "slice"),
    "rejected_segments": ("segments.rejected.jsonl", "RejectedSegments", "slice"),
    "aligned": ("aligned.jsonl", "Aligned", "align"),
    "quarantined": ("aligned.rejected.jsonl", "Rejected", "align"),
    "words": ("words.jsonl", "Words", "align"),
}
COVERAGE = "coverage.json"


@dataclass(frozen=True)
class Tables:
    """Rows of every table ([] where it is missing), what else the report tells, and `gaps`: what is missing or bad."""

    recordings: list[Row]
    rejected_recordings: list[Row]
    segments: list[Row]
    rejected_segments: list[Row]
    aligned: list[Row]
    quarantined: list[Row]
    words: list[Row]
    coverage: Mapping[str, Any] | None
    edits: list[Row]
    consent: Consent | None
    there: frozenset[str]
    gaps: list[str] = field(default_factory=list)


def load(folder: Path, raw: Path) -> Tables:
    """The tables of `folder` (data/<voice>), edits and consent of `raw` (data/raw/<voice>).

    Raises UserError when not even a table of recordings is there: nothing has been built.
    """
    names = [TABLES[name][0] for name in ("recordings", "rejected_recordings")]
    if not any((folder / name).is_file() for name in names):
        raise UserError(f"{folder}: nothing built yet", f"run `reprovoice rebuild --voice {folder.name}`")
    gaps: list[str] = []
    rows: dict[str, list[Row]] = {}
    there = set()
    for table, (file, contract, stage) in TABLES.items():
        rows[table] = []
        if not (folder / file).is_file():
            gaps.append(f"{file} is not there: stage {stage} has not run, has stopped, or is older than this table")
            continue
        there.add(table)
        rows[table] = _rows(folder / file, getattr(contracts, contract), gaps)
    coverage = _object(folder / COVERAGE, gaps)
    edits = _edits(raw / EDITS_FILE, rows["segments"], gaps)
    consent = None
    try:
        consent = read_consent(raw)
    except UserError as error:
        gaps.append(_short(error, raw))
    return Tables(**rows, coverage=coverage, edits=edits, consent=consent, there=frozenset(there), gaps=gaps)


def number(row: Mapping[str, Any], key: str) -> float | None:
    """A number of a row, None where there is none or one that no measure has (not finite, beyond 1e9)."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e9:
        return None
    return float(value)


def seconds(rows: list[Row], key: str = "seconds") -> float:
    """Sum of a column of durations; rows without one count nothing."""
    return sum(number(row, key) or 0.0 for row in rows)


def duration(recording: Mapping[str, Any]) -> float:
    """Seconds of a recording, 0 where that is not known."""
    length = number(recording, "clean_seconds") or number(recording, "seconds") or 0.0
    return length if 0 < length <= 1e6 else 0.0


def word(row: Mapping[str, Any], key: str) -> str:
    """A text of a row, "" where there is none."""
    value = row.get(key)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _rows(path: Path, schema: pa.DataFrameSchema, gaps: list[str]) -> list[Row]:
    try:
        return rows_of(read_table(path, schema))
    except UnicodeDecodeError:
        gaps.append(f"{path.name}: not UTF-8")
    except UserError as error:
        gaps.append(_short(error, path.parent))
    return _lines(path, [])


def _lines(path: Path, gaps: list[str]) -> list[Row]:
    """The objects of a JSONL file, whatever they hold; other lines are counted as a gap."""
    rows, bad = [], 0
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            row = None
        if isinstance(row, dict):
            rows.append(row)
        elif line.strip():
            bad += 1
    if bad:
        gaps.append(f"{path.name}: {bad} of its lines cannot be read")
    return rows


def _edits(path: Path, segments: list[Row], gaps: list[str]) -> list[Row]:
    """The reviewer's decisions in their order; `missed` is true where no segment is cut like that any more."""
    try:
        edits = read_edits(path)
    except UserError as error:
        gaps.append(_short(error, path.parent))
        return _lines(path, [])
    whole = [
        row for row in segments if word(row, "id") and all(number(row, key) is not None for key in ("start", "end"))
    ]
    decisions = apply_edits(whole, edits)
    missed = (*decisions.stale, *decisions.idle)
    return [edit.model_dump(mode="json") | {"missed": bool(whole) and edit in missed} for edit in edits]


def _object(path: Path, gaps: list[str]) -> Mapping[str, Any] | None:
    if not path.is_file():
        gaps.append(f"{path.name} is not there: stage align has not run, has stopped, or is older than this file")
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        gaps.append(f"{path.name} cannot be read")
        return None
    return value


def _short(error: Exception, folder: Path) -> str:
    """One line, without the folder: the page says the same wherever the project lies."""
    return " ".join(str(error).replace(f"{folder}/", "").split())
