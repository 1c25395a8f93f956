"""From one row a clip to the few figures that compare voices."""

from __future__ import annotations

import pandas as pd

from voice.metrics.phone_error import phone_error_rate
from voice.metrics.rate import phones_per_second

# Takes of a line. The voice's own figures carry no suffix, so that they stand first in a comparison.
SUFFIX = {"tuned": "", "base": "_base", "copy": "_copy", "real": "_real"}
_DRAWN = ("tuned", "base")


def summarise(lines: pd.DataFrame) -> dict[str, float]:
    """Figures of one group of lines (columns of the contract `EvaluationLines`), named `<measure><take>`.

    Errors and rates are pooled over all phones, likeness and scores are means over lines, F0 is the median of the
    lines' medians. A figure that no line has (F0 without a voiced frame) is left out.
    """
    found: dict[str, float] = {}
    for take, suffix in SUFFIX.items():
        rows = lines[lines["take"] == take]
        if rows.empty:
            continue
        units = int(rows["units"].sum())
        values = {
            "phone_error": phone_error_rate(int(rows["edits"].sum()), units),
            "rate": phones_per_second(units, float(rows["speech_seconds"].sum())),
            "alignment_score": rows["alignment_score"].mean(),
            "similarity": rows["similarity"].mean(),
            "timbre_correlation": rows["timbre_correlation"].mean(),
            "voiced_share": rows["voiced_share"].mean(),
            "f0_median_hz": rows["f0_median_hz"].median(),
            "f0_iqr_hz": rows["f0_iqr_hz"].median(),
            "mel_distance_db": rows["mel_distance_db"].mean(),
        }
        if take in _DRAWN:
            values["failed_count"] = int((rows["stop"] == "max_steps").sum())
        for name, value in values.items():
            if not pd.isna(value):
                found[f"{name}{suffix}"] = value if isinstance(value, int) else round(float(value), 4)
    return found | {"lines_count": int(lines["line"].nunique())}
