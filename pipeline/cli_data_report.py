"""`reprovoice data report`: what of a voice's recordings is learnt from, as a page and as a short table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.output import emit_json, emit_table
from pipeline.settings import project_root
from voice.errors import UserError

if TYPE_CHECKING:
    from voice.report.data_summary import Amount, Summary

Voice = Annotated[str, typer.Argument(help="The folder's name in data/raw.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`, the commands `reprovoice data`."""
    app.command("report")(report)


def report(voice: Voice, as_json: Json = False) -> None:
    """Write data/VOICE/report.html: what was accepted and what not, with pictures and sounds."""
    folder, raw = data_folders(project_root(), voice)
    from voice.report.data import write_report  # after the check: drawing takes a second to import

    path, summary, missing = write_report(voice, folder, raw)
    if as_json:
        emit_json({"voice": voice, "report": str(path), "missing": missing, **summary.facts()})
        return
    emit_table(["", "items", "seconds", "share"], _rows(summary))
    words = summary.words
    if words.total is not None:
        share = "" if words.coverage is None else f" ({words.coverage:.1%})"
        print(
            f"words of the transcript: {words.aligned} of {words.total}{share} in accepted segments, "
            f"{words.quarantined} set aside, {words.unspoken} not found in the sound"
        )
    for gap in missing:
        print(f"note: {gap}")
    print(path)


def data_folders(root: Path, voice: str) -> tuple[Path, Path]:
    """(data/<voice>, data/raw/<voice>). Raises UserError for a voice that has neither."""
    folder, raw = root / "data" / voice, root / "data" / "raw" / voice
    if not re.fullmatch(r"\w[\w.-]*", voice) or voice == "raw" or not (folder.is_dir() or raw.is_dir()):
        there = sorted(path.name for path in (root / "data" / "raw").glob("*") if path.is_dir())
        raise UserError(f"{voice}: unknown voice", f"voices in data/raw: {', '.join(there) or 'none'}")
    return folder, raw


def _rows(summary: Summary) -> list[list[str]]:
    def row(name: str, amount: Amount) -> list[str]:
        share = "" if amount.share is None else f"{amount.share:.1%}"
        return [name, str(amount.items), f"{amount.seconds:.1f}", share]

    rows = [row("accepted", summary.accepted)]
    kinds = {
        "aligned": ("set aside", summary.quarantined),
        "segments": ("left out when cutting", summary.left_out),
        "recordings": ("refused recordings", summary.rejected_recordings),
    }
    for table, (name, amount) in kinds.items():
        rows.append(row(name, amount))
        rows += [
            [f"  {found.reason}", str(found.items), f"{found.seconds:.1f}", ""]
            for found in summary.reasons
            if found.table == table
        ]
    if summary.waiting.items:
        rows.append(row("not aligned", summary.waiting))
    if summary.no_speech.items:
        rows.append(row("recordings without speech", summary.no_speech))
    rows.append(["pauses", "", f"{summary.silence_seconds:.1f}", ""])
    return rows
