"""`reprovoice consent`: by which right a voice may be cloned."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer

from pipeline.output import emit_json
from pipeline.settings import project_root
from voice.errors import UserError

app = typer.Typer(help="Write and check consent records.", no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Voice = Annotated[str, typer.Argument(help="The folder's name in data/raw.")]


@app.command()
def new(
    voice: Voice,
    basis: Annotated[str, typer.Option("--basis", help="self, granted, licence or synthetic.")],
    scope: Annotated[str, typer.Option("--scope", help="What the voice may be used for.")],
    subject: Annotated[str | None, typer.Option("--subject", help="The person who speaks (self, granted).")] = None,
    granted_on: Annotated[str | None, typer.Option("--granted-on", help="A date, 2026-01-31.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="Its name and source (licence).")] = None,
    notes: Annotated[str | None, typer.Option("--notes")] = None,
    as_json: Json = False,
) -> None:
    """Hash the recordings of data/raw/VOICE and write consent.yaml beside them."""
    from voice.consent import write_consent
    from voice.files import write_bytes

    try:
        date = datetime.date.fromisoformat(granted_on) if granted_on else None
    except ValueError as error:
        raise UserError(f"--granted-on {granted_on}: no date", "write it as 2026-01-31") from error
    folder = project_root() / "data" / "raw" / voice
    consent = write_consent(
        folder, basis=basis, scope=scope, subject=subject, granted_on=date, licence=licence, notes=notes
    )
    words = folder / "transcript.txt"
    made = not words.is_file()
    if made:
        write_bytes(words, b"")  # it must be there; empty means: the words lie elsewhere, or are recognised
    if as_json:
        emit_json(consent.model_dump(mode="json") | {"transcript_created": made})
        return
    print(f"{folder / 'consent.yaml'}: {consent.basis}, {len(consent.recordings)} recording(s)")
    if made:
        print(f"{words}: made, empty; write the spoken words into it, or leave it so and they are recognised")


@app.command()
def check(voice: Voice, as_json: Json = False) -> None:
    """Compare a consent record with the recordings it covers."""
    from voice.consent import check_consent

    consent = check_consent(project_root() / "data" / "raw" / voice)
    emit_json(consent.model_dump(mode="json")) if as_json else print(
        f"{voice}: {consent.basis}, {consent.scope}, {len(consent.recordings)} recording(s) match"
    )
