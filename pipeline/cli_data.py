"""`reprovoice data`: bring in recordings, decide about segments, see what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli_data_report import register as register_report
from pipeline.output import emit_json, emit_table
from pipeline.settings import project_root
from voice.errors import UserError

app = typer.Typer(help="Bring in, review and look at a voice's data.", no_args_is_help=True, rich_markup_mode=None)
register_report(app)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Voice = Annotated[str, typer.Argument(help="The folder's name in data/raw.")]
_SHOWN = 5


@app.command()
def add(
    voice: Annotated[str, typer.Argument(help="The voice's name: small letters, digits, _ and -.")],
    files: Annotated[list[Path], typer.Argument(help="Sound files; they are copied.")],
    transcript: Annotated[
        Path | None, typer.Option("--transcript", help="What is said: .txt, .srt, .vtt, .csv, .tsv, .jsonl or .list.")
    ] = None,
    lang: Annotated[
        Literal["en", "zh", "ja", "ko", "yue", "auto"] | None, typer.Option("--lang", help="Default: auto.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make data/raw/VOICE from files, or add files to it; nothing is overwritten."""
    from pipeline.data_add import add_files

    added = add_files(project_root(), voice, files, transcript, lang)
    if as_json:
        emit_json(
            {
                "folder": str(added.folder),
                "files": added.files,
                "transcript": added.transcript,
                "faults": [vars(fault) for fault in added.faults],
                "entry": added.entry,
                "next": list(added.steps),
            }
        )
        return
    print(f"{added.folder}: {len(added.files)} file(s) added, words in {added.transcript}")
    for source, name in added.files.items():
        if Path(source).name != name:
            print(f"  {Path(source).name!r} is {name} there")
    for fault in added.faults[:_SHOWN]:
        print(f"  left out: {fault}")
    if len(added.faults) > _SHOWN:
        print(f"  and {len(added.faults) - _SHOWN} more; see `reprovoice data status {voice}`")
    print("next:")
    for step in added.steps:
        print(f"  {step}")


@app.command()
def edit(
    voice: Voice,
    segment: Annotated[str, typer.Argument(help="A segment's id, as recording-0003.")],
    who: Annotated[str, typer.Option("--who", help="Who decides.")],
    why: Annotated[str, typer.Option("--why", help="For what reason.")],
    reject: Annotated[bool, typer.Option("--reject", help="Keep this sound out, however it is cut.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Use the segment although it was set aside.")] = False,
    text: Annotated[str | None, typer.Option("--text", help="What is really said.")] = None,
    as_json: Json = False,
) -> None:
    """Write one decision about a segment to data/raw/VOICE/edits.jsonl."""
    chosen = [name for name, given in (("reject", reject), ("accept", accept), ("text", text is not None)) if given]
    if len(chosen) != 1:
        raise UserError(f"{len(chosen)} decisions given", "give one of --reject, --accept and --text")
    from pipeline.data_edits import add_edit

    made, holds = add_edit(project_root(), voice, segment, chosen[0], text=text, who=who, why=why)
    rejected = holds.rejected is not None
    if as_json:
        emit_json(made.model_dump(mode="json") | {"rejected": rejected, "accepted": holds.accepted is not None})
        return
    print(f"{voice}: {segment}, {made.recording} {made.start:g} to {made.end:g} s: {made.action}, by {made.who}")
    if rejected and made.action == "text" and holds.rejected is not None:
        print(f"note: it stays rejected, by {holds.rejected.who}: {holds.rejected.why}; --accept would use it again")
    print(f"next: reprovoice rebuild --voice {voice}")


@app.command()
def edits(voice: Voice, as_json: Json = False) -> None:
    """List the decisions about a voice's segments, and whether they still meet a segment."""
    from pipeline.data_edits import list_edits

    found = list_edits(project_root(), voice)
    if as_json:
        emit_json({"edits": [item.to_dict() for item in found]})
        return
    emit_table(
        ["when", "who", "decision", "recording", "span", "why", "state"],
        [
            [
                item.edit.when.isoformat(timespec="minutes"),
                item.edit.who,
                item.edit.action if item.edit.text is None else f"text: {item.edit.text}",
                item.edit.recording,
                f"{item.edit.start:g} to {item.edit.end:g} s",
                item.edit.why,
                f"{item.state} {', '.join(item.segments)}".strip(),
            ]
            for item in found
        ],
    )


@app.command()
def status(voice: Voice, as_json: Json = False) -> None:
    """Show how many files, segments and seconds were kept, and what was set aside and why."""
    from pipeline.data_status import status as find_status
    from pipeline.data_status import status_rows

    found = find_status(project_root(), voice)
    if as_json:
        emit_json(found)
        return
    emit_table(["", "count", "s", "remark"], status_rows(found))
    for note in found["notes"]:
        print(f"note: {note}")
