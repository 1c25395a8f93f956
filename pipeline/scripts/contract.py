"""The table of a parsed script: one row a line, checked when it is written and when it is read."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa

from pipeline.scripts.lines import GAPS, MAX_CHARACTERS, Script
from pipeline.scripts.values import PAUSES, SEEDS, SPEEDS
from voice import columns as c
from voice.tables import write_table


def _none(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _text_or_none(rule: str, test: Any = bool) -> pa.Column:
    def right(value: Any) -> bool:
        return _none(value) or (isinstance(value, str) and bool(test(value)))

    return c.column(object, c.each(f"{rule} or none", right), nullable=True)


def _seed(value: Any) -> bool:
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    return _none(value) or (whole and SEEDS[0] <= value <= SEEDS[1] and value == int(value))


def _no_falling(series: pd.Series) -> pd.Series:
    return series.diff().fillna(0) >= 0


def _by_one(series: pd.Series) -> pd.Series:
    return series.diff().fillna(0).isin([0, 1]) & (series.iloc[0] == 0 if len(series) else True)


def _gaps(table: pd.DataFrame) -> pd.Series:
    fresh = table["chapter"].diff().fillna(1) > 0
    first = pd.Series(range(len(table)), index=table.index) == 0
    return ((table["gap"] == "start") == first) & ((table["gap"] == "chapter") == (fresh & ~first))


def _slots(table: pd.DataFrame) -> pd.Series:
    start, end = table["start"], table["end"]
    before = end.shift()
    return (start.isna() & end.isna()) | ((start < end) & (before.isna() | (start >= before)))


ParsedScript = c.table(
    "parsed_script",
    {
        "index": c.column(int, c.check("counts from 1", lambda s: s == pd.Series(range(1, len(s) + 1), index=s.index))),
        "number": c.column(int, c.check(">= 1", lambda s: s >= 1), c.check("does not fall", _no_falling)),
        "chapter": c.column(int, c.check("from 0, by 0 or 1", _by_one)),
        "title": pa.Column(str),
        "text": c.column(
            str, c.text(), c.check(f"1 to {MAX_CHARACTERS} signs", lambda s: s.str.len() <= MAX_CHARACTERS)
        ),
        "gap": c.column(str, c.check(f"one of {', '.join(GAPS)}", lambda s: s.isin(GAPS))),
        "voice": _text_or_none("a name"),
        "lang": _text_or_none(f"one of {', '.join(c.LANGUAGES)}", lambda value: value in c.LANGUAGES),
        "ref": _text_or_none("a path"),
        "ref_text": _text_or_none("words"),
        "speed": c.number(*SPEEDS),
        "pause": c.number(*PAUSES),
        "seed": c.column(object, c.each(f"a whole number up to {SEEDS[1]} or none", _seed), nullable=True),
        "start": c.number(0, 1e6, nullable=True),
        "end": c.number(0, 1e6, nullable=True),
    },
    c.check("start first, chapter where one begins, nowhere else", _gaps),
    c.check("slots have a length and do not overlap", _slots),
    c.check("has a row", lambda t: len(t) > 0),
)


def parsed_table(script: Script) -> pd.DataFrame:
    """The lines as a table, `title` being that of the line's chapter; not checked yet."""
    rows = [asdict(line) | {"title": script.chapters[line.chapter]} for line in script.lines]
    # As objects: a column with a hole would make a whole number a float, and none of a text a NaN.
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in ParsedScript.columns})


def write_parsed(script: Script, path: Path) -> pd.DataFrame:
    """Check the lines and write them as JSONL, whole or not at all. Returns the table; raises UserError."""
    return write_table(path, parsed_table(script), ParsedScript)
