"""Which segments to listen to first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voice.report.data_tables import Row, number

RULE = (
    "Up to 10 points for the alignment score (10 x (1 - score)), up to 10 for noise (one for each 3 dB of SNR below "
    "30 dB), one for each clipped run, at most 10. The ten accepted segments with the most points are shown; where "
    "nothing is aligned yet, the ten of all segments."
)


@dataclass(frozen=True)
class Suspect:
    """A segment, its points, and what gave them."""

    row: Row
    points: float
    reasons: list[str]


def worst(rows: Sequence[Row], measured: Mapping[str, Row], count: int = 10) -> list[Suspect]:
    """The `count` rows with the most points, most first; `measured` holds SNR and clipping by segment id."""
    found = [_points(row, measured.get(str(row.get("id")), {})) for row in rows]
    return sorted(found, key=lambda item: (-item.points, str(item.row.get("id"))))[:count]


def _points(row: Row, measured: Row) -> Suspect:
    parts: list[tuple[float, str]] = []
    if (score := number(row, "score")) is not None:
        parts.append((10 * (1 - score), f"score {score:.2f}"))
    if (snr := number(measured, "snr_db")) is not None:
        parts.append((min(10.0, max(0.0, 30 - snr) / 3), f"SNR {snr:.0f} dB"))
    if clipped := number(measured, "clipped"):
        parts.append((min(10.0, clipped), f"{clipped:.0f} clipped runs"))
    parts.sort(reverse=True)
    return Suspect(row, round(sum(points for points, _ in parts), 3), [f"{why} ({p:.1f})" for p, why in parts if p > 0])
