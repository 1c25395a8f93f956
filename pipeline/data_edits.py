"""Edits of a voice: make one for a segment by its id, and say what each of them does now."""

from __future__ import annotations

import datetime
import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice.contracts import Segments
from voice.edits import EDITS_FILE, Decision, Edit, append_edit, apply_edits, make_edit, read_edits
from voice.errors import UserError
from voice.tables import read_table


@dataclass(frozen=True)
class Listed:
    """An edit, and its state: `holds` for `segments`, `stale`, `idle`, `replaced` by a later one, or `not built`."""

    edit: Edit
    state: str
    segments: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return self.edit.model_dump(mode="json") | {"state": self.state, "holds_for": list(self.segments)}


def edits_file(root: Path, voice: str) -> Path:
    """Where a voice's edits lie. Raises UserError when the voice has no folder."""
    folder = root / "data/raw" / voice
    if not voice or "/" in voice or "\\" in voice or voice.startswith(".") or not folder.is_dir():
        raise UserError(f"{voice}: no folder data/raw/{voice}", "see the voices in params.yaml")
    return folder / EDITS_FILE


def segments_of(root: Path, voice: str) -> list[dict[str, Any]]:
    """Rows of the table of segments. Raises UserError when it is not there."""
    table = read_table(root / "data" / voice / "segments.jsonl", Segments)
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]


def add_edit(
    root: Path, voice: str, segment: str, action: str, *, text: str | None, who: str, why: str
) -> tuple[Edit, Decision]:
    """Write an edit for a segment; returns it and what holds for the segment now. Raises UserError."""
    path = edits_file(root, voice)
    rows = segments_of(root, voice)
    row = next((row for row in rows if row["id"] == segment), None)
    if row is None:
        near = difflib.get_close_matches(segment, [r["id"] for r in rows], n=1)
        hint = f"did you mean {near[0]}?" if near else f"see data/{voice}/segments.jsonl"
        raise UserError(f"{voice}: no segment {segment!r}", hint)
    given = {key: row[key] for key in ("recording", "start", "end")} | {"segment": segment, "action": action}
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    edit = make_edit(**given, who=who, why=why, when=now, **({} if text is None else {"text": text}))
    edits = append_edit(path, edit)
    return edit, apply_edits([row], edits).by_segment[segment]


def list_edits(root: Path, voice: str) -> list[Listed]:
    """All edits in their order with their states."""
    edits = read_edits(edits_file(root, voice))
    if not (root / "data" / voice / "segments.jsonl").is_file():
        return [Listed(edit, "not built", ()) for edit in edits]
    found = apply_edits(segments_of(root, voice), edits)
    result = []
    for edit in edits:
        holds = tuple(
            name
            for name, decision in found.by_segment.items()
            if any(edit is part for part in (decision.rejected, decision.accepted, decision.corrected))
        )
        if holds:
            state = "holds"
        elif any(edit is other for other in found.stale):
            state = "stale"
        else:
            state = "idle" if any(edit is other for other in found.idle) else "replaced"
        result.append(Listed(edit, state, holds))
    return result
