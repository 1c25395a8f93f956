"""All exports of a model into a folder, each file whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.audit.exports.bom import bom
from pipeline.audit.exports.facts import Model, read_model
from pipeline.audit.exports.model_card import model_card
from pipeline.audit.exports.openlineage import events
from pipeline.audit.exports.statement import statement
from pipeline.audit.exports.table import utterances_csv
from pipeline.audit.project import open_project
from voice.errors import UserError
from voice.files import write_text

FILES = ("model-card.md", "provenance.intoto.json", "model.cdx.json", "runs.openlineage.jsonl", "utterances.csv")


def export(root: Path, path: Path, out: Path) -> list[Path]:
    """Write FILES about models/<voice> into `out`; the same model in the same commit gives the same bytes.

    Raises UserError for anything but a fresh model of a voice, and when `out` cannot be written.
    """
    with open_project(root) as project:
        texts = _texts(read_model(project, path), root)
    try:
        for name, text in texts.items():
            write_text(out / name, text)
    except OSError as error:
        raise UserError(f"{out}: {error.strerror or error}", "give another folder") from error
    return [out / name for name in texts]


def _texts(model: Model, root: Path) -> dict[str, str]:
    lines = [json.dumps(event, ensure_ascii=False, sort_keys=True) for event in events(model)]
    texts = (
        model_card(model), _json(statement(model)), _json(bom(model, root)), "\n".join(lines) + "\n",
        utterances_csv(model),
    )  # fmt: skip
    return dict(zip(FILES, texts, strict=True))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
