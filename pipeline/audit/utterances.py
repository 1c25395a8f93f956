"""Every utterance behind a voice: where it was cut, what it says, how well that fits, and what became of it.

Nothing is recorded here: the tables of the stages lie beside the artifacts they describe, and are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from pipeline.audit.exposure import exposure
from pipeline.audit.project import Project
from voice.errors import UserError

Row = dict[str, Any]
EDITS = "edits.jsonl"
TRAININGS = ("semantic", "acoustic")
REJECTED = (("ingest", "recordings.rejected"), ("slice", "segments.rejected"), ("align", "aligned.rejected"))


@dataclass(frozen=True)
class Utterance:
    """A span of a recording (seconds) and its fate: train, held_out, excluded, or cut (not yet aligned).

    `edits` are the reviewer's decisions about it, `times` how often each training saw it (None: not known), `shard`
    the file of features it lies in; for what was excluded, `stage`, `reason` and `detail` say where and why.
    """

    id: str
    voice: str
    recording: str
    file: str | None
    start: float | None
    end: float | None
    fate: str
    text: str | None = None
    lang: str | None = None
    score: float | None = None
    draft: bool = False
    edited: bool = False
    edits: tuple[Row, ...] = ()
    shard: str | None = None
    times: dict[str, int | None] = field(default_factory=dict)
    stage: str | None = None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Utterances:
    """All utterances of one voice in the order of their recordings; `notes` says what could not be read."""

    voice: str
    rows: tuple[Utterance, ...]
    notes: tuple[str, ...] = ()

    def fates(self) -> dict[str, int]:
        """How many there are of each fate."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[row.fate] = found.get(row.fate, 0) + 1
        return found

    def to_dict(self) -> Row:
        """Plain values."""
        return {
            "voice": self.voice,
            "fates": self.fates(),
            "notes": list(self.notes),
            "rows": [dict(vars(row)) for row in self.rows],
        }


def read_utterances(project: Project, voice: str) -> Utterances:
    """What the tables of `voice` say now; a table that is missing or damaged is a note, and the rest is told."""
    notes: list[str] = []
    folder = project.root / "data" / voice

    def table(name: str) -> list[Row]:
        path = folder / f"{name}.jsonl"
        try:
            return list(_rows(path))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            notes.append(f"data/{voice}/{name}.jsonl: cannot be read: {error}")
            return []

    files = {row["id"]: row["file"] for row in table("recordings")}
    segments = table("segments")
    aligned = {row["id"]: row for row in table("aligned")}
    shards = {row["id"]: row["shard"] for row in table("features")}
    excluded = [(stage, row) for stage, name in REJECTED for row in table(name)]
    decided = _edits(project.root, voice, segments, notes)
    times = _times(project, voice, aligned, shards)
    found: list[Utterance] = []
    told = {row["id"] for stage, row in excluded if stage != "ingest"}
    for segment in segments:
        if (name := segment["id"]) in told and name not in aligned:
            continue
        row = aligned.get(name, segment)
        found.append(
            Utterance(
                **_place(voice, row, files),
                fate=str(row.get("split", "cut")),
                text=row.get("text"), lang=row.get("lang"), score=row.get("score"),
                draft=bool(row.get("draft")), edited=bool(row.get("edited")),
                edits=decided.get(name, ()), shard=shards.get(name), times=times.get(name, {}),
            )
        )  # fmt: skip
    for stage, row in excluded:
        place = _place(voice, row, files)
        if stage == "ingest":
            place |= {"recording": row["id"], "file": _raw(voice, row["file"])}
        found.append(
            Utterance(
                **place, fate="excluded", text=row.get("text"), score=row.get("score"),
                edits=decided.get(row["id"], ()), stage=stage, reason=row.get("reason"), detail=row.get("detail"),
            )
        )  # fmt: skip
    order = {name: place for place, name in enumerate(files)}
    found.sort(key=lambda item: (order.get(item.recording, len(order)), item.start or 0.0, item.id))
    return Utterances(voice, tuple(found), tuple(notes))


def _rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                row = _parsed(line)
                if "id" not in row:
                    raise ValueError("a row has no id")
                yield row


def _parsed(line: bytes) -> Any:
    """A row by pydantic's parser, which takes half the time; by the standard one where that refuses.

    That is for damaged rows, whose errors it names, and half signs, which it lets pass.
    """
    try:
        return from_json(line)
    except ValueError:
        return json.loads(line.decode("utf-8"))


def _place(voice: str, row: Row, files: dict[str, str]) -> Row:
    recording = str(row.get("recording", ""))
    file = files.get(recording)
    return {
        "id": row["id"],
        "voice": voice,
        "recording": recording,
        "file": _raw(voice, file) if file else None,
        "start": row.get("start"),
        "end": row.get("end"),
    }


def _raw(voice: str, file: str) -> str:
    return f"data/raw/{voice}/{file}"


def _edits(root: Path, voice: str, segments: list[Row], notes: list[str]) -> dict[str, tuple[Row, ...]]:
    """Segment -> the decisions that hold for it."""
    path = root / "data" / "raw" / voice / EDITS
    if not path.is_file():
        return {}
    from voice.edits import apply_edits, read_edits  # with pandas behind it, which most answers need not wait for

    try:
        edits = read_edits(path)
    except UserError as error:
        notes.append(str(error).replace(f"{root}/", ""))
        return {}
    found = {}
    for name, decision in apply_edits(segments, edits).by_segment.items():
        holding = (decision.rejected, decision.accepted, decision.corrected)
        found[name] = tuple(edit.model_dump(mode="json", exclude_none=True) for edit in holding if edit)
    return found


def training_order(aligned: dict[str, Row], shards: dict[str, str]) -> list[str]:
    """The segments of a training in the order it counts them: shard by shard, in the order of the features table."""
    by_shard: dict[str, list[str]] = {}
    for name, shard in shards.items():
        by_shard.setdefault(shard, []).append(name)
    names: Iterable[str] = (name for group in by_shard.values() for name in group)
    return [name for name in names if aligned.get(name, {}).get("split") == "train"]


def _times(
    project: Project, voice: str, aligned: dict[str, Row], shards: dict[str, str]
) -> dict[str, dict[str, int | None]]:
    """Segment -> training -> times seen, from the parameters that training ran with."""
    names = training_order(aligned, shards)
    found: dict[str, dict[str, int | None]] = {name: {} for name in shards}
    for training in TRAININGS:
        stage = project.by_address.get(f"train_{training}@{voice}")
        weights = project.root / "models" / voice / f"{training}.safetensors"
        if stage is None or not weights.is_file():
            continue
        used = {fact.name: fact.recorded for fact in stage.params}
        settings = used.get(f"train_{training}")
        seen = exposure(names, settings, str(used.get("base")), weights) if isinstance(settings, dict) else None
        for name in found:
            found[name][training] = None if seen is None else seen.get(name, 0)
    return found
