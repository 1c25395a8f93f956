"""Rows of .jsonl and .csv: `text` and, as wanted, how it is spoken and its chapter.

In CSV the first row names the columns and is row 1, as in a spreadsheet; an empty field is no value. A row says how it
is spoken in its columns; marks at the start of its text come first, then the columns, then the cast and standing marks.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.scripts import values
from pipeline.scripts.build import Builder
from pipeline.scripts.lines import has_words, tidy
from pipeline.scripts.markup import read_marks
from pipeline.scripts.markup_html import refuse_html
from voice.errors import UserError
from voice.transcripts.decode import lines_of
from voice.transcripts.rows import json_object

COLUMNS = ("text", "voice", "lang", "ref", "ref_text", "speed", "pause", "seed", "chapter")
_HINT = f"columns: {', '.join(COLUMNS)}"


def read_jsonl(text: str, builder: Builder) -> None:
    """Add one row a line; blank lines make paragraphs. Raises UserError with line, key, value and rule."""
    for number, line in enumerate(lines_of(text), start=1):
        where = builder.place.at(number)
        if not line.strip():
            builder.paragraph()
            continue
        try:
            row = json_object(line)
        except ValueError as error:
            raise UserError(
                f"{where}: {error}", 'a line is {"text": "..."} with, as wanted, voice, lang, ...'
            ) from None
        for key in row:
            _known(key, where)
        _row(number, row, builder)


def read_csv(text: str, builder: Builder) -> None:
    """Add the rows of a table; blank ones make paragraphs. Raises UserError with row, column, value and rule."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    number = 0
    try:
        for number, fields in enumerate(reader, start=1):
            where = builder.place.at(number)
            if header is None:
                header = _header(fields, where)
            elif not any(field.strip() for field in fields):
                builder.paragraph()
            elif len(fields) != len(header):
                hint = "put a text with commas in quotes"
                raise UserError(f"{where}: {len(fields)} fields, the header has {len(header)}", hint)
            else:
                given = zip(header, fields, strict=True)
                _row(number, {name: field for name, field in given if field.strip()}, builder)
    except csv.Error as error:
        hint = 'put a text with quotes or commas in quotes and double those inside: "He said ""no"""'
        raise UserError(f"{builder.place.at(number + 1)}: {error}", hint) from error


def _header(fields: Sequence[str], where: str) -> list[str]:
    names = [field.strip().casefold() for field in fields]
    if len(names) == 1 and (sign := next((s for s in ";\t|" if s in names[0]), "")):
        raise UserError(f"{where}: columns are divided by {sign!r}", "divide them by commas")
    for name in names:
        _known(name, where)
        if names.count(name) > 1:
            raise UserError(f"{where}: column {name!r} is there twice", _HINT)
    if "text" not in names:
        raise UserError(f"{where}: no column 'text'", _HINT)
    return names


def _known(name: str, where: str) -> None:
    if name not in COLUMNS:
        near = difflib.get_close_matches(name, COLUMNS, n=1)
        raise UserError(f"{where}: unknown column {name[:40]!r}", f"did you mean {near[0]}?" if near else _HINT)


def _row(number: int, row: Mapping[str, Any], builder: Builder) -> None:
    where = builder.place.at(number)
    given = {name: _value(name, value, builder, where) for name, value in row.items() if value not in (None, "")}
    words = given.pop("text", "")
    if not has_words(words):
        raise UserError(f"{where}: text = {words[:40]!r}: no letter or digit to speak", "write words, or drop the row")
    refuse_html(words, where)
    if given.get("chapter", builder.title) != builder.title:
        builder.chapter(given["chapter"])
    said = read_marks(words, builder.path.parent, builder.cast, where)
    if not has_words(said.text):
        raise UserError(f"{where}: text = {words[:40]!r}: only marks", "write words, or drop the row")
    own = {name: value for name, value in given.items() if name in values.FIELDS}
    if "voice" in said.marks:  # of another speaker than the columns' reference
        own = {name: value for name, value in own.items() if name not in ("ref", "ref_text")}
    how = builder.how(replace(said, marks=own | dict(said.marks)))
    builder.add(number, said.text, how, pause=given.get("pause", 0.0))


def _value(name: str, value: Any, builder: Builder, where: str) -> Any:
    """A value by the rule of its column."""
    try:
        if name in values.FIELDS:
            return values.FIELDS[name](value, builder.path.parent)
        return values.pause(value) if name == "pause" else tidy(values.text(value))
    except ValueError as error:
        shown = repr(value)
        raise UserError(f"{where}: {name} = {shown[:60]}: {error}", _HINT) from None
