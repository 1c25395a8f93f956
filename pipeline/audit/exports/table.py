"""The utterances behind a model as CSV (RFC 4180, UTF-8 with a mark, so that spreadsheets read it)."""

from __future__ import annotations

import csv
import io

from pipeline.audit.exports.facts import Model
from pipeline.audit.utterances import Utterance

COLUMNS = (
    "id", "file", "start", "end", "fate", "text", "lang", "score", "edited", "shard", "trained_semantic",
    "trained_acoustic", "stage", "reason", "detail",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def utterances_csv(model: Model) -> str:
    """A row an utterance, with a head; a number that is not known is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for table in model.audit.utterances:
        if table.voice == model.voice:
            writer.writerows(_row(row) for row in table.rows)
    return "\ufeff" + text.getvalue()


def _row(row: Utterance) -> list[object]:
    times = [row.times.get(name) for name in ("semantic", "acoustic")]
    place = [row.id, row.file or row.recording, row.start, row.end, row.fate]
    said = [row.text, row.lang, row.score, "yes" if row.edits or row.edited else "", row.shard]
    return [_plain(value) for value in (*place, *said, *times, row.stage, row.reason, row.detail)]


def _plain(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
