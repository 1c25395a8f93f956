"""How far a voice's data has come: files, seconds, what was kept and what was set aside and why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.data_edits import edits_file, list_edits
from voice.consent import find_recordings
from voice.errors import UserError
from voice.report.data_tables import Row, Tables, load, seconds
from voice.transcripts import load_transcript

_KEPT = {"recordings": "rejected_recordings", "segments": "rejected_segments", "aligned": "quarantined"}


def status(root: Path, voice: str) -> dict[str, Any]:
    """Plain values: files, transcript, a part per table with count, seconds and reasons, edits, and notes.

    Raises UserError for a voice without a folder; what is broken elsewhere is a note.
    """
    raw = edits_file(root, voice).parent
    notes: list[str] = []
    files = _tried(lambda: [p.relative_to(raw).as_posix() for p in find_recordings(raw)], notes) or []
    found: dict[str, Any] = {"voice": voice, "files": len(files), "transcript": _transcript(raw, files, notes)}
    tables: Tables | None = _tried(lambda: load(root / "data" / voice, raw), notes)
    for kept, aside in _KEPT.items() if tables else ():
        found[kept] = _part(getattr(tables, kept), getattr(tables, aside))
    edits = _tried(lambda: list_edits(root, voice), notes) or []
    found["edits"] = {
        "count": len(edits),
        "actions": _counts(item.edit.action for item in edits),
        "states": _counts(item.state for item in edits),
    }
    return found | {"notes": notes + (tables.gaps if tables else [])}


def status_rows(found: dict[str, Any]) -> list[list[str]]:
    """The same as rows of a table: part, count, seconds, remark."""
    words = found["transcript"]
    said = f"{words['utterances']} utterances" if words["source"] else "none: the words are recognised"
    rows = [["files", str(found["files"]), "", ""]]
    rows.append(["transcript", words["source"] or "", "", "; ".join([said, *_list(words["faults"])])])
    for kept in _KEPT:
        if kept in found:
            part = found[kept]
            rows.append([kept, str(part["count"]), f"{part['seconds']:.1f}", ""])
            rows += [
                ["  set aside", str(count), f"{part['rejected_seconds'][reason]:.1f}", reason]
                for reason, count in part["rejected"].items()
            ]
    edits = found["edits"]
    rows.append(["edits", str(edits["count"]), "", "; ".join([*_list(edits["actions"]), *_list(edits["states"])])])
    return rows


def _transcript(raw: Path, files: list[str], notes: list[str]) -> dict[str, Any]:
    read = _tried(lambda: load_transcript(raw, {file: file for file in files}), notes)
    if read is None:
        return {"source": None, "utterances": 0, "faults": {}}
    source = read.source_file.name if read.source_file else None
    notes += [str(fault) for fault in read.faults]
    return {"source": source, "utterances": len(read.utterances), "faults": read.fault_counts()}


def _part(kept: list[Row], aside: list[Row]) -> dict[str, Any]:
    reasons = _counts(str(row.get("reason")) for row in aside)
    spent = {reason: round(seconds([r for r in aside if str(r.get("reason")) == reason]), 3) for reason in reasons}
    return {"count": len(kept), "seconds": round(seconds(kept), 3), "rejected": reasons, "rejected_seconds": spent}


def _counts(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _list(counts: dict[str, int]) -> list[str]:
    return [f"{count} {name}" for name, count in counts.items()]


def _tried(work: Any, notes: list[str]) -> Any:
    try:
        return work()
    except UserError as error:
        notes.append(str(error))
        return None
