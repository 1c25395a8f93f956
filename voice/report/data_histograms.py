"""How long, loud, clean and well aligned the segments are, as pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from voice.report.data_tables import Row, Tables, number, word
from voice.report.data_timeline import KINDS
from voice.report.plots import data_histogram


def histograms(tables: Tables, colours: Mapping[str, str]) -> dict[str, str]:
    """Title -> PNG as base64, for each measure that a segment has; `colours` by kind."""
    accepted = {word(row, "id") for row in tables.aligned}
    aside = {word(row, "id") for row in tables.quarantined}
    cut: dict[str, list[Row]] = {"accepted": [], "quarantined": [], "rejected": [], "waiting": []}
    for row in tables.segments:
        name = word(row, "id")
        cut["accepted" if name in accepted else "quarantined" if name in aside else "waiting"].append(row)
    aligned = {"accepted": tables.aligned, "quarantined": tables.quarantined}
    plans = {
        "Length of segments": (cut | {"rejected": tables.rejected_segments}, "seconds", "seconds"),
        "Level": (cut, "level_db", "dB of full scale, after levelling"),
        "Signal to noise": (cut, "snr_db", "dB; 25 and more is good"),
        "Alignment score": (aligned, "score", "0: words not found in the sound, 1: sure"),
    }
    drawn = {}
    for title, (groups, key, label) in plans.items():
        values = {KINDS[kind]: part for kind, rows in groups.items() if (part := _values(rows, key))}
        if values:
            shades = {KINDS[kind]: colour for kind, colour in colours.items()}
            span = (0.0, 1.0) if key == "score" else None
            drawn[title] = base64.b64encode(data_histogram(values, title, label, shades, span)).decode()
    return drawn


def _values(rows: Iterable[Row], key: str) -> list[float]:
    return [value for row in rows if (value := number(row, key)) is not None]
