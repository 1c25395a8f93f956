"""The model card as Markdown: what the model is, by which right, from what, how good, for what not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.audit.exports.bom import figures
from pipeline.audit.exports.facts import Model, voice_steps
from voice.report.templates import templates

TEMPLATE = "model_card.md.j2"
TRAININGS = ("train_semantic", "train_acoustic")


def model_card(model: Model) -> str:
    """The card. Texts of people are put on one line, and can add neither table cells nor HTML."""
    pages = templates(Path(__file__).parent, keep_trailing_newline=True, autoescape=False)
    pages.filters["cell"] = cell
    rows = [row for table in model.audit.utterances if table.voice == model.voice for row in table.rows]
    trained = [row for row in rows if row.fate == "train"]
    return pages.get_template(TEMPLATE).render(
        model=model,
        audit=model.audit,
        consent=model.consent,
        environment=model.audit.environment,
        rows=rows,
        fates=Counter(row.fate for row in rows),
        excluded=Counter(f"{row.stage}: {row.reason}" for row in rows if row.fate == "excluded"),
        seconds=sum((row.end or 0.0) - (row.start or 0.0) for row in trained),
        compared=list(_compared(figures(model))),
        data=[dict(row) for _, card in model.base_cards for row in card.get("data", []) if isinstance(row, dict)],
        settings=[
            (param.name, json.dumps(param.recorded, ensure_ascii=False, sort_keys=True))
            for step in voice_steps(model)
            for param in step.params
            if param.name in TRAININGS
        ],
    )


def _compared(found: Iterable[tuple[str, str, Any]]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """(part, name, {"", base, copy or real: value}): a figure beside the same of the base and of the recording."""
    known: dict[tuple[str, str], dict[str, Any]] = {}
    for part, name, value in found:
        stem, _, kind = name.rpartition("_")
        if kind in ("base", "real", "tuned") and stem:
            known.setdefault((part, stem), {})["" if kind == "tuned" else kind] = value
        elif kind != "copy":
            known.setdefault((part, name), {})[""] = value
    return ((part, name, values) for (part, name), values in known.items())


def cell(value: object) -> str:
    """A value inside a table or a line of Markdown."""
    line = " ".join(str("" if value is None else value).split())
    for sign, plain in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("`", "\\`"), ("[", "\\[")):
        line = line.replace(sign, plain)
    return line
