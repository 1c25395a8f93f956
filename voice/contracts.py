"""Every table in pipeline order: what a row must hold, and the two functions that read and write tables.

Manifests are JSONL (one object a line, keys sorted), loss curves TSV. A table is checked whenever it is read
or written; a row that breaks its contract is named by file, row id, column, value and rule.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from voice.errors import UserError
from voice.files import write_text

ID = r"[a-z0-9][a-z0-9_.-]*"
_SHA256 = r"[0-9a-f]{64}"
_EPS = 1e-3  # seconds; times are rounded to microseconds
LANGUAGES = ("en", "zh", "ja", "ko", "yue", "auto")


def _check(rule: str, test: Any) -> pa.Check:
    return pa.Check(test, name=rule, error=rule)


def _text(pattern: str | None = None) -> pa.Check:
    if pattern is None:
        return _check("not empty", lambda s: s.str.strip().str.len() > 0)
    return _check(f"matches {pattern}", lambda s: s.str.fullmatch(pattern))


def _each(rule: str, test: Any) -> pa.Check:
    return _check(rule, lambda s: s.map(lambda v: bool(test(v))))


def _list_of(kind: type, *, empty: bool = False) -> pa.Check:
    def test(value: Any) -> bool:
        return isinstance(value, list) and (empty or bool(value)) and all(type(v) is kind for v in value)

    return _each(f"list of {kind.__name__}", test)


def _column(kind: Any, *checks: pa.Check, **options: Any) -> pa.Column:
    return pa.Column(kind, list(checks), **options)


def _number(low: float, high: float, **options: Any) -> pa.Column:
    return _column(
        float,
        _check(f"in [{low:g}, {high:g}]", lambda s: s.between(low, high)),
        **options,
    )


def _count(low: int = 0, high: int = 2**53) -> pa.Column:
    return _column(int, _check(f"in [{low}, {high}]", lambda s: s.between(low, high)))


def _language() -> pa.Column:
    return _column(str, _check(f"one of {', '.join(LANGUAGES)}", lambda s: s.isin(LANGUAGES)))


def _key() -> pa.Column:
    return _column(str, _text(ID), unique=True)


def _table(name: str, columns: dict[str, pa.Column], *checks: pa.Check, strict: bool = True) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, checks=list(checks), strict=strict, coerce=True, name=name)


def _apart(table: pd.DataFrame) -> pd.Series:
    """True for rows whose span starts no earlier than the span before it (same recording) ends."""
    ordered = table.sort_values(["recording", "start"], kind="stable")
    before = ordered.groupby("recording", sort=False)["end"].shift()
    return (before.isna() | (ordered["start"] >= before - _EPS)).reindex(table.index)


_SPAN = {
    "id": _key(),
    "recording": _column(str, _text(ID)),
    "start": _number(0, 1e6),
    "end": _number(0, 1e6),
    "seconds": _number(0.1, 60),
}
_SPAN_RULES = (
    _check(
        "seconds == end - start",
        lambda t: (t["end"] - t["start"] - t["seconds"]).abs() <= _EPS,
    ),
    _check("spans of one recording do not overlap", _apart),
)

Recordings = _table(
    "recordings",
    {
        "id": _key(),
        "file": _column(
            str,
            _check("stays in its folder", lambda s: ~s.str.contains(r"(?:^/|\\|\.\.)")),
            unique=True,
        ),
        "sha256": _column(str, _text(_SHA256)),
        "seconds": _number(0.01, 1e6),
        "sample_rate": _count(4000, 768000),
        "channels": _count(1, 64),
        "peak_db": _number(-60, 20),
        "lufs": _number(-70, 20),
        "snr_db": _number(0, 100),
        "clipped": _count(),
        "dc": _number(-1, 1),
        "gain_db": _number(-60, 60),
        "clean_rate": _count(8000, 192000),
        "clean_seconds": _number(0.01, 1e6),
    },
    _check(
        "clean audio is as long as its source",
        lambda t: (t["seconds"] - t["clean_seconds"]).abs() <= 0.01,
    ),
)

Segments = _table(
    "segments",
    _SPAN
    | {
        "recording_seconds": _number(0.01, 1e6),
        "peak_db": _number(-60, 0.01),
        "level_db": _number(-100, 0),
    },
    *_SPAN_RULES,
    _check(
        "the span lies inside its recording",
        lambda t: t["end"] <= t["recording_seconds"] + _EPS,
    ),
)

Aligned = _table(
    "aligned",
    _SPAN
    | {
        "text": _column(str, _text()),
        "lang": _language(),
        "words": _column(object, _list_of(str)),
        "word2ph": _column(object, _list_of(int)),
        "phones": _column(object, _list_of(str)),
        "ids": _column(object, _list_of(int)),
        "score": _number(0, 1),
        "phones_per_second": _number(0, 100),
        "split": _column(str, _check("train or held_out", lambda s: s.isin(["train", "held_out"]))),
    },
    *_SPAN_RULES,
    _check("as many ids as phones", lambda t: t["ids"].map(len) == t["phones"].map(len)),
    _check(
        "word2ph adds up to the phones",
        lambda t: t["word2ph"].map(sum) == t["phones"].map(len),
    ),
    _check(
        "as many words as word2ph",
        lambda t: t["words"].map(len) == t["word2ph"].map(len),
    ),
)

REASONS = ("no_words", "low_score", "too_fast", "too_slow", "unreadable")
Rejected = _table(
    "rejected",
    _SPAN
    | {
        "text": pa.Column(str),
        "score": _number(0, 1),
        "phones_per_second": _number(0, 10000),
        "reason": _column(str, _check(f"one of {', '.join(REASONS)}", lambda s: s.isin(REASONS))),
        "detail": _column(str, _text()),
    },
    *_SPAN_RULES,
)

Features = _table(
    "features",
    {
        "id": _key(),
        "shard": _column(str, _text(r"shard-[0-9]{3}\.safetensors")),
        "frames": _count(2),
        "tokens": _count(1),
        "phones": _count(1),
        "samples": _count(1),
        "seconds": _number(0.1, 60),
        "dtype": _column(str, _check("float16", lambda s: s == "float16")),
        "lo": _number(-65504, 0),
        "hi": _number(0, 65504),
        "token_kinds": _count(1),
        "finite": _column(bool, _check("true", lambda s: s)),
    },
    _check("two frames a token", lambda t: t["tokens"] == t["frames"] // 2),
    _check("50 frames a second", lambda t: (t["frames"] - 50 * t["seconds"]).abs() <= 1.5),
    _check("more than one token in use", lambda t: t["token_kinds"] > 1),
)


def _rising(series: pd.Series) -> pd.Series:
    return series.diff().fillna(1) > 0


# A curve has `step` and any number of losses; `valid_...` columns are empty where nothing was validated.
Loss = _table(
    "loss",
    {
        "step": _column(int, _check("rises", _rising), _check(">= 0", lambda s: s >= 0)),
        "valid_.+": pa.Column(
            float,
            _check("finite", lambda s: np.isfinite(s)),
            nullable=True,
            regex=True,
            required=True,
        ),
        "(?!step$|valid_).+": pa.Column(
            float,
            _check("finite", lambda s: np.isfinite(s)),
            nullable=True,
            regex=True,
            required=True,
        ),
    },
    _check("has a row", lambda t: len(t) > 0),
)

TAKES = ("tuned", "base", "copy", "real")
# One row a line and take: spoken by the voice, by the base, resynthesised, recorded.
EvaluationLines = _table(
    "evaluation_lines",
    {
        "id": _key(),
        "line": _column(str, _text(ID)),
        "take": _column(str, _check(f"one of {', '.join(TAKES)}", lambda s: s.isin(TAKES))),
        "group": _column(str, _check("held_out or texts", lambda s: s.isin(["held_out", "texts"]))),
        "text": _column(str, _text()),
        "lang": _language(),
        "file": _column(str, _text(rf"clips/{ID}\.flac"), unique=True),
        "sha256": _column(str, _text(_SHA256)),
        "ai_generated": _column(bool),
        "stop": _column(str, _check("eos, max_steps or given", lambda s: s.isin(["eos", "max_steps", "given"]))),
        "seed": _count(),
        "units": _count(1),
        "edits": _count(),
        "phone_error": _number(0, 100),
        "heard": pa.Column(str),
        "alignment_score": _number(0, 1),
        "seconds": _number(0.1, 120),
        "speech_seconds": _number(0, 120),
        "rate": _number(0, 1000),
        "f0_median_hz": _number(50, 550, nullable=True),
        "f0_iqr_hz": _number(0, 500, nullable=True),
        "voiced_share": _number(0, 1),
        "similarity": _number(-1, 1),
        "timbre_correlation": _number(-1, 1),
        "mel_distance_db": _number(0, 200, nullable=True),
        "peak_db": _number(-120, 0.01),
        "lufs": _number(-120, 20),
    },
    _check(
        "phone_error == edits / units",
        lambda t: (t["phone_error"] - t["edits"] / t["units"]).abs() <= _EPS,
    ),
    _check("generated unless it is real", lambda t: t["ai_generated"] == (t["take"] != "real")),
    _check("a line has each take once", lambda t: ~t.duplicated(["line", "take"])),
)

Listening = _table(
    "listening",
    {
        "id": _key(),
        "file": _column(str, _text(rf"{ID}\.(?:flac|wav)"), unique=True),
        "text": _column(str, _text()),
        "lang": _language(),
        "voice": _column(str, _text(ID)),
        "ai_generated": _column(bool, _check("true", lambda s: s)),
        "sha256": _column(str, _text(_SHA256)),
        "seconds": _number(0.2, 120),
        "sample_rate": _count(8000, 192000),
        "peak_db": _number(-60, 0.01),
        "lufs": _number(-120, 20),
        "clipped": _count(),
        "seed": _count(),
        "stop": _column(str, _check("eos or max_steps", lambda s: s.isin(["eos", "max_steps"]))),
        "warnings": _column(object, _list_of(str, empty=True)),
    },
    _check("0.2 to 30 s, unless it did not end", lambda t: (t["seconds"] <= 30) | (t["stop"] == "max_steps")),
    _check("at most one clipped run a second", lambda t: t["clipped"] <= t["seconds"].clip(lower=1)),
)


def read_table(path: Path, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """The rows of a `.jsonl` or `.tsv` table, checked. Raises UserError if missing or off contract."""
    if not path.is_file():
        raise UserError(f"{path}: no such table", "run `dvc repro` first")
    if path.suffix == ".tsv":
        try:
            return _validated(path, pd.read_csv(path, sep="\t"), schema)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise UserError(f"{path}: {error}", "delete it and run `dvc repro`") from error
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(
                f"{path}: line {number}: not JSON: {error.msg}",
                "delete it and run `dvc repro`",
            ) from error
        if not isinstance(row, dict):
            raise UserError(f"{path}: line {number}: not an object", "delete it and run `dvc repro`")
        rows.append(row)
    return _validated(path, _frame(rows, schema), schema)


def write_table(
    path: Path,
    rows: pd.DataFrame | Iterable[Mapping[str, Any]],
    schema: pa.DataFrameSchema,
) -> pd.DataFrame:
    """Check `rows`, write them as JSONL, whole or not at all. Returns the checked table; raises UserError."""
    table = rows if isinstance(rows, pd.DataFrame) else _frame([dict(row) for row in rows], schema)
    table = _validated(path, table, schema)
    lines = [
        json.dumps(
            {k: _plain(v) for k, v in row.items()},
            ensure_ascii=False,
            sort_keys=True,
            allow_nan=False,
        )
        for row in table.to_dict(orient="records")
    ]
    write_text(path, "".join(line + "\n" for line in lines))
    return table


def check_metrics(path: Path, metrics: Mapping[str, Any], prefix: str = "") -> None:
    """Check a (nested) mapping of metrics: leaves are finite numbers in the range of their name, flags or text.

    `*_error` in [0, 10], `*_similarity` and `*_correlation` in [-1, 1], `*_accuracy`, `*_share`, `*_score` in [0, 1],
    `*_seconds`, `*_count` and `*_loss` not negative. Raises UserError that names the key.
    """
    ranges = {
        "error": (0.0, 10.0),
        "similarity": (-1.0, 1.0),
        "correlation": (-1.0, 1.0),
        "accuracy": (0.0, 1.0),
        "share": (0.0, 1.0),
        "score": (0.0, 1.0),
        "rate": (0.0, math.inf),
        "distance": (0.0, math.inf),
        "seconds": (0.0, math.inf),
        "count": (0.0, math.inf),
        "loss": (0.0, math.inf),
    }
    for key, value in metrics.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            check_metrics(path, value, f"{name}.")
        elif isinstance(value, bool | str):
            continue
        elif not isinstance(value, int | float) or not math.isfinite(value):
            raise UserError(f"{path}: {name} = {value!r}: finite number")
        else:
            # The last word that has a range decides: phone_error_base is an error.
            kind = next((part for part in reversed(str(key).split("_")) if part in ranges), "")
            low, high = ranges.get(kind, (-math.inf, math.inf))
            if not low <= value <= high:
                raise UserError(f"{path}: {name} = {value!r}: in [{low:g}, {high:g}]")


def _frame(rows: list[dict[str, Any]], schema: pa.DataFrameSchema) -> pd.DataFrame:
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(schema.columns))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _validated(path: Path, table: pd.DataFrame, schema: pa.DataFrameSchema) -> pd.DataFrame:
    try:
        checked = schema.validate(table, lazy=True)
    except SchemaErrors as error:
        raise UserError(_report(path, table, error.failure_cases), "see voice/contracts.py") from error
    return checked[[c for c in schema.columns if c in checked] + [c for c in checked if c not in schema.columns]]


def _report(path: Path, table: pd.DataFrame, failures: pd.DataFrame) -> str:
    """One line, `path: column: rule: row id = value, ...`, for the first three broken rules."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for case in failures.to_dict(orient="records"):
        whole = case["schema_context"] == "DataFrameSchema"
        column = "" if whole and not str(case["check"]).startswith("column_in") else f"{case['column']}: "
        if str(case["check"]) in ("column_in_dataframe", "column_in_schema"):
            column = f"{case['failure_case']}: "
        shown = groups.setdefault((column, _rule(str(case["check"]))), {})
        index = case["index"]
        if index is None or pd.isna(index):
            continue
        row = table.loc[index]
        name = str(row["id"]) if "id" in table else f"line {int(index) + 2}"
        shown.setdefault(name, "" if whole else f" = {case['failure_case']!r}")
    lines = []
    for (column, rule), shown in groups.items():
        names = [name + value for name, value in shown.items()]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        lines.append(f"{column}{rule}" + (f": row {', '.join(names[:3])}{more}" if names else ""))
    return f"{path}: " + "; ".join(lines[:3]) + (f"; and {len(lines) - 3} more rules" if len(lines) > 3 else "")


def _rule(check: str) -> str:
    known = {
        "column_in_dataframe": "column is missing",
        "column_in_schema": "unknown column",
        "field_uniqueness": "unique",
        "not_nullable": "not empty",
    }
    return known.get(check, check)
