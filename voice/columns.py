"""The words that contracts of tables are written in: kinds of columns and checks, each with the rule it states."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pandera.pandas as pa

ID = r"[a-z0-9][a-z0-9_.-]*"
SHA256 = r"[0-9a-f]{64}"
EPS = 1e-3  # seconds; times are rounded to microseconds
LANGUAGES = ("en", "zh", "ja", "ko", "yue", "auto")


def check(rule: str, test: Any) -> pa.Check:
    return pa.Check(test, name=rule, error=rule)


def text(pattern: str | None = None) -> pa.Check:
    if pattern is None:
        return check("not empty", lambda s: s.str.strip().str.len() > 0)
    return check(f"matches {pattern}", lambda s: s.str.fullmatch(pattern))


def each(rule: str, test: Any) -> pa.Check:
    return check(rule, lambda s: s.map(lambda v: bool(test(v))))


def list_of(kind: type, *, empty: bool = False) -> pa.Check:
    def test(value: Any) -> bool:
        return isinstance(value, list) and (empty or bool(value)) and all(type(v) is kind for v in value)

    return each(f"list of {kind.__name__}", test)


def column(kind: Any, *checks: pa.Check, **options: Any) -> pa.Column:
    return pa.Column(kind, list(checks), **options)


def number(low: float, high: float, **options: Any) -> pa.Column:
    return column(
        float,
        check(f"in [{low:g}, {high:g}]", lambda s: s.between(low, high)),
        **options,
    )


def count(low: int = 0, high: int = 2**53) -> pa.Column:
    return column(int, check(f"in [{low}, {high}]", lambda s: s.between(low, high)))


def language() -> pa.Column:
    return column(str, check(f"one of {', '.join(LANGUAGES)}", lambda s: s.isin(LANGUAGES)))


def key() -> pa.Column:
    return column(str, text(ID), unique=True)


def table(name: str, columns: dict[str, pa.Column], *checks: pa.Check, strict: bool = True) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, checks=list(checks), strict=strict, coerce=True, name=name)


def apart(table: pd.DataFrame) -> pd.Series:
    """True for rows whose span starts no earlier than the span before it (same recording) ends."""
    ordered = table.sort_values(["recording", "start"], kind="stable")
    before = ordered.groupby("recording", sort=False)["end"].shift()
    return (before.isna() | (ordered["start"] >= before - EPS)).reindex(table.index)
