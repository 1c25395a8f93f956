"""The data report: what of a voice's recordings is learnt from, what is not and why, as one HTML page.

No network and no script; pictures are in the page, sound is linked beside it. Equal tables give equal bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment

from voice.files import write_bytes
from voice.report import data_coverage, data_phrases
from voice.report.data_histograms import histograms
from voice.report.data_items import Item, make_item, place, raw_sound
from voice.report.data_sound import Size
from voice.report.data_summary import Summary, summarise
from voice.report.data_tables import Row, Tables, duration, load, number, word
from voice.report.data_timeline import KINDS, clock, shares, spans, timeline
from voice.report.data_worst import RULE, worst
from voice.report.templates import templates

PAGE = "report.html"
THUMBNAILS = 300  # segments with a small picture; each costs some 4 kB and 10 ms
COLOURS = {  # apart for the colour-blind too
    "accepted": "#1f6feb",
    "quarantined": "#d9822b",
    "rejected": "#b3261e",
    "waiting": "#6e7781",
    "silence": "#d5d9de",
}
_SMALL, _LARGE = Size(160, 28, 44), Size(560, 80, 128)
_WEAK = 0.4  # below this score a word is named
_TAKEN_OUT = {"recordings": "recordings refused", "segments": "left out when cutting", "aligned": "segments set aside"}


def write_report(voice: str, folder: Path, raw: Path) -> tuple[Path, Summary, list[str]]:
    """Make `folder`/report.html from the tables of `folder` (data/<voice>) and of `raw` (data/raw/<voice>).

    Returns its path, the figures, and what was missing. Raises UserError when nothing is built yet.
    """
    tables = load(folder, raw)
    summary = summarise(tables)
    path = folder / PAGE
    # Half signs, which a broken table can hold, are no UTF-8.
    write_bytes(path, render(voice, folder, tables, summary).encode("utf-8", "replace"))
    return path, summary, tables.gaps


def render(voice: str, folder: Path, tables: Tables, summary: Summary) -> str:
    """The page; all that comes from tables and files is escaped."""
    measured = {word(row, "id"): row for row in tables.segments}
    small = _with_picture(tables)

    def items(rows: Iterable[Row]) -> list[Item]:
        return [make_item(voice, folder, row, _SMALL if word(row, "id") in small else None) for row in rows]

    def told(rows: Iterable[Row]) -> list[str]:
        return [data_phrases.reason(word(row, "reason")) for row in rows]

    suspects = worst(tables.aligned or tables.segments, measured)
    limits = data_phrases.measures(tables.recordings)
    return (
        _environment()
        .get_template("data.html.j2")
        .render(
            voice=voice,
            summary=summary,
            gaps=tables.gaps,
            there=tables.there,
            kinds=KINDS,
            colours=COLOURS,
            amounts={
                "accepted": summary.accepted,
                "quarantined": summary.quarantined,
                "rejected": summary.left_out,
                "waiting": summary.waiting,
            },
            reasons=[(_TAKEN_OUT[found.table], found, data_phrases.reason(found.reason)) for found in summary.reasons],
            limits=limits,
            recordings=[
                (row, data_phrases.cells(row, limits), data_phrases.notes(row), share)
                for row, share in zip(tables.recordings, shares(tables), strict=True)
            ],
            refused=[
                (row, why, raw_sound(voice, row))
                for row, why in zip(tables.rejected_recordings, told(tables.rejected_recordings), strict=True)
            ],
            blocks=timeline(tables.recordings, spans(tables)),
            unspoken=data_coverage.rows(tables.coverage, "unspoken"),
            untranscribed=data_coverage.rows(tables.coverage, "untranscribed"),
            faults=data_coverage.rows(tables.coverage, "faults"),
            transcript=word(tables.coverage or {}, "transcript"),
            pictures=histograms(tables, COLOURS),
            rule=RULE,
            suspects=[
                (suspect, make_item(voice, folder, suspect.row, _LARGE), _weak_words(suspect.row, tables))
                for suspect in suspects
            ],
            quarantined=list(zip(items(tables.quarantined), told(tables.quarantined), strict=True)),
            left_out=list(zip(items(tables.rejected_segments), told(tables.rejected_segments), strict=True)),
            accepted=[(item, measured.get(item.name, {})) for item in items(tables.aligned)],
            thumbnails=THUMBNAILS,
            edits=tables.edits,
        )
    )


@functools.cache
def _environment() -> Environment:
    environment = templates(Path(__file__).parent)

    def figure(row: Row, key: str, digits: int = 1) -> str:
        value = number(row, key)
        return "" if value is None else f"{value:.{digits}f}"

    environment.filters |= {
        "clock": clock,
        "percent": lambda share: "" if share is None else f"{100 * share:.1f} %",
        "figure": figure,
        "length_of": duration,
        "many": lambda count, name: f"{count} {name}{'' if count == 1 else 's'}",
        "place": place,
        "word": word,
    }
    return environment


def _with_picture(tables: Tables) -> set[str]:
    """Ids of the segments that get a small picture: those taken out first, then the lowest scores."""
    lowest = sorted(tables.aligned, key=lambda row: (number(row, "score") or 0.0, word(row, "id")))
    names = [word(row, "id") for row in (*tables.quarantined, *tables.rejected_segments, *lowest)]
    return set(names[:THUMBNAILS])


def _weak_words(row: Row, tables: Tables) -> list[Row]:
    return [
        found
        for found in tables.words
        if found.get("segment") == row.get("id") and (score := number(found, "score")) is not None and score < _WEAK
    ]
