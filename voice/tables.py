"""The two functions that read and write tables, and the check of metrics.

A table is checked whenever it is read or written; a row that breaks its contract is named by file, row id, column,
value and rule.
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
    for number, line in enumerate(_lines(path), start=1):
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


def _lines(path: Path) -> list[str]:
    """Lines as JSONL has them: a text may hold other signs that `splitlines` would break at."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [] if lines == ["", ""] else lines if lines[-1] else lines[:-1]


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
    # A table without rows is a blank line: DVC warns of every empty file.
    write_text(path, "".join(line + "\n" for line in lines) or "\n")
    return table


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a checked table as plain mappings."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]


def check_metrics(path: Path, metrics: Mapping[str, Any], prefix: str = "") -> None:
    """Check a (nested) mapping of metrics: leaves are finite numbers in the range of their name, flags or text.

    `*_error` in [0, 100], `*_similarity` and `*_correlation` in [-1, 1], `*_accuracy`, `*_share`, `*_score` in [0, 1],
    `*_seconds`, `*_count` and `*_loss` not negative. Raises UserError that names the key.
    """
    ranges = {
        "error": (0.0, 100.0),
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
