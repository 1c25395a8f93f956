"""Rows of .csv, .tsv, .jsonl and of the published trainer's .list."""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voice.errors import UserError
from voice.transcripts.decode import lines_of
from voice.transcripts.model import Fault, Row

COLUMNS = ("file", "text", "lang", "start", "end")
_HEADER = "the first row names the columns: file,text and, as wanted, lang, start, end"


def read_csv(text: str, path: Path) -> Iterator[Row | Fault]:
    """Rows of a table with a header; in .tsv quotes are ordinary signs. Row 1 is the header, as in a spreadsheet.

    Raises UserError for a wrong header or a quote that is never closed.
    """
    tabs = path.suffix.lower() == ".tsv"
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(source, strict=True)
    header: list[str] | None = None
    number = 0
    try:
        for number, fields in enumerate(reader, start=1):
            if header is None:
                header = _header(fields, path)
            elif any(field.strip() for field in fields):
                yield _table_row(header, fields, f"{path.name}: row {number}")
    except csv.Error as error:
        hint = 'put a text with quotes or commas in quotes and double those inside: "He said ""no"""'
        raise UserError(f"{path}: row {number + 1}, line {reader.line_num}: {error}", hint) from error
    if header is None:
        raise UserError(f"{path}: the table is empty", _HEADER)


def _header(fields: list[str], path: Path) -> list[str]:
    names = [field.strip().casefold() for field in fields]
    if len(names) == 1 and (sign := next((s for s in ";\t," if s in names[0]), "")):
        kind = "tabs" if path.suffix.lower() == ".tsv" else "commas"
        raise UserError(f"{path}: row 1: its columns are divided by {sign!r}, not by {kind}", f"divide them by {kind}")
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"did you mean {near[0]}?" if near else _HEADER
            raise UserError(f"{path}: row 1: unknown column {name!r}", hint)
        if names.count(name) > 1:
            raise UserError(f"{path}: row 1: column {name!r} is there twice", _HEADER)
    for name in ("file", "text"):
        if name not in names:
            raise UserError(f"{path}: row 1: no column {name!r}", _HEADER)
    return names


def _table_row(header: list[str], fields: list[str], where: str) -> Row | Fault:
    if len(fields) > len(header):
        return Fault(where, "bad_row", f"{len(fields)} fields, {len(header)} columns: put a text with commas in quotes")
    given = {name: field.strip() or None for name, field in zip(header, fields, strict=False)}
    return Row(where, **{"text": None} | given)


def read_jsonl(text: str, path: Path) -> Iterator[Row | Fault]:
    """One object a line with the keys of COLUMNS; blank lines are passed over."""
    for number, line in enumerate(lines_of(text), start=1):
        if not line.strip():
            continue
        where = f"{path.name}: line {number}"
        try:
            row = json_object(line)
        except ValueError as error:
            yield Fault(where, "bad_row", str(error))
            continue
        unknown = [key for key in row if key not in COLUMNS]
        if unknown:
            yield Fault(where, "bad_row", f"unknown key {unknown[0]!r}; known: {', '.join(COLUMNS)}")
        else:
            yield Row(where, **{"text": None} | row)


def json_object(line: str) -> dict[str, Any]:
    """The JSON object of one line. Raises ValueError, its text one line, for anything else and for a double key."""
    try:
        value = json.loads(line, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("not JSON: nested too deep") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(n for n in names if names.count(n) > 1)!r} is there twice")
    return found


def read_list(text: str, path: Path) -> Iterator[Row | Fault]:
    """Lines `path|speaker|lang|text`; the text may hold bars. The speaker is not looked at: a voice is one folder."""
    for number, line in enumerate(lines_of(text), start=1):
        if not line.strip():
            continue
        where = f"{path.name}: line {number}"
        parts = line.split("|", 3)
        if len(parts) < 4:
            yield Fault(where, "bad_row", f"{len(parts)} fields, should be path|speaker|lang|text")
        else:
            yield Row(where, parts[3], file=parts[0].strip(), lang=parts[2].strip())
