"""The evaluation as one HTML page: no script, no network; pictures inside, sound beside it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from voice.metrics.summary import SUFFIX
from voice.report.templates import templates

ROWS = {
    "phone_error": "phone error (edits per phone, lower is better)",
    "alignment_score": "alignment score (0 to 1)",
    "similarity": "voice similarity (-1 to 1)",
    "timbre_correlation": "timbre correlation (-1 to 1)",
    "rate": "phones per second",
    "f0_median_hz": "F0 median, Hz",
    "f0_iqr_hz": "F0 interquartile range, Hz",
    "voiced_share": "voiced share",
    "mel_distance_db": "mel distance to the recording, dB",
    "failed_count": "takes that did not end",
}


def comparison(figures: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Takes that occur, and one row a measure with its figure for each of them ("" where there is none)."""
    takes = [take for take, suffix in SUFFIX.items() if f"phone_error{suffix}" in figures]
    rows = []
    for name, title in ROWS.items():
        cells = [figures.get(f"{name}{SUFFIX[take]}") for take in takes]
        if any(cell is not None for cell in cells):
            rows.append((title, ["" if cell is None else f"{cell:.4g}" for cell in cells]))
    return takes, rows


def render(
    voice: str,
    base: str,
    metrics: Mapping[str, Any],
    lines: pd.DataFrame,
    pictures: Mapping[str, bytes],
    weights: Mapping[str, str],
) -> str:
    """The page. `lines` has the columns of `EvaluationLines`, `pictures` maps a title to PNG bytes.

    All text is escaped; sound is linked, relative to the folder that holds the page.
    """
    environment = templates(Path(__file__).parent, keep_trailing_newline=True)
    groups = {name: comparison(figures) for name, figures in metrics.items()}
    by_line = [(name, rows.to_dict(orient="records")) for name, rows in lines.groupby("line", sort=False)]
    return environment.get_template("page.html.j2").render(
        voice=voice,
        base=base,
        losses=metrics["held_out"],
        groups=groups,
        lines=by_line,
        pictures={title: base64.b64encode(data).decode() for title, data in pictures.items()},
        weights=sorted(weights.items()),
    )
