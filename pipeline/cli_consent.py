"""`reprovoice consent`: by which right a voice may be cloned, and how that right is taken back."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.output import emit_json, emit_table
from pipeline.settings import project_root
from voice.errors import UserError

app = typer.Typer(help="Write, check and revoke consent.", no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Voice = Annotated[str, typer.Argument(help="The folder's name in data/raw.")]


@app.command()
def new(
    voice: Voice,
    basis: Annotated[str, typer.Option("--basis", help="self, granted, licence or synthetic.")],
    scope: Annotated[str, typer.Option("--scope", help="What the voice may be used for.")],
    subject: Annotated[str | None, typer.Option("--subject", help="The person who speaks (self, granted).")] = None,
    relation: Annotated[str | None, typer.Option("--relation", help="What you are to that person.")] = None,
    granted_on: Annotated[str | None, typer.Option("--granted-on", help="A date, 2026-01-31.")] = None,
    expires: Annotated[str | None, typer.Option("--expires", help="The last day, 2027-01-31.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="Its name and source (licence).")] = None,
    purpose: Annotated[
        list[str] | None,
        typer.Option("--purpose", help="train, speak, narrate, serve, publish (repeatable; default: all but publish)."),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="en, zh, ja, ko, yue (repeatable; default: all).")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="A file in data/raw/VOICE/evidence that shows the consent.")
    ] = None,
    name: Annotated[str | None, typer.Option("--id", help="Default: from person, scope and recordings.")] = None,
    key: Annotated[Path | None, typer.Option("--sign", help="A private Ed25519 key (PEM) to sign with.")] = None,
    notes: Annotated[str | None, typer.Option("--notes")] = None,
    as_json: Json = False,
) -> None:
    """Hash the recordings of data/raw/VOICE and write consent.yaml beside them."""
    from voice.consent import write_consent
    from voice.consent.gate import record_folder
    from voice.files import write_bytes

    folder = record_folder(project_root(), voice)
    consent = write_consent(
        folder, id=name, basis=basis, scope=scope, subject=subject, relation=relation,
        granted_on=_date("--granted-on", granted_on), expires=_date("--expires", expires), licence=licence,
        languages=language or None, purposes=purpose or None, evidence=evidence, notes=notes,
        key=_key(key) if key else None,
    )  # fmt: skip
    words = folder / "transcript.txt"
    made = not words.is_file()
    if made:
        write_bytes(words, b"")  # it must be there; empty means: the words lie elsewhere, or are recognised
    if as_json:
        emit_json(consent.model_dump(mode="json") | {"transcript_created": made})
        return
    print(f"{folder / 'consent.yaml'}: {consent.id}, {consent.basis}, {len(consent.recordings)} recording(s)")
    if made:
        print(f"{words}: made, empty; write the spoken words into it, or leave it so and they are recognised")


@app.command()
def check(voice: Voice, as_json: Json = False) -> None:
    """Compare a consent record with the recordings it covers."""
    from voice.consent import check_consent
    from voice.consent.gate import record_folder

    consent = check_consent(record_folder(project_root(), voice))
    emit_json(consent.model_dump(mode="json")) if as_json else print(
        f"{voice}: {consent.basis}, {consent.scope}, {len(consent.recordings)} recording(s) match"
    )


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show every voice's consent and whether it is valid, expired, revoked or wrong."""
    from voice.consent.listing import consents

    found = consents(project_root())
    if as_json:
        emit_json({"consents": found})
        return
    rows = [
        [
            row["voice"], row["id"] or "", row["basis"] or "", " ".join(row["purposes"]), " ".join(row["languages"]),
            row["expires"] or "", row["state"], row["why"],
        ]
        for row in found
    ]  # fmt: skip
    emit_table(["voice", "id", "basis", "purposes", "languages", "expires", "state", "why"], rows)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="ID", help="The id of a consent, as `consent list` shows it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is told with every refusal.")] = "",
    delete: Annotated[bool, typer.Option("--delete", help="Remove what was derived, from DVC's cache too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before removing.")] = False,
    as_json: Json = False,
) -> None:
    """Take a consent back, for good: nothing trains or speaks with its recordings any more."""
    from pipeline.cli_revoke import told
    from pipeline.revocation import delete_derived, mark_revoked

    root = project_root()
    done = mark_revoked(root, name, reason)
    if not as_json:
        told(done)
    removed = None
    if delete:
        if not yes and not _agreed(f"remove {len(done.files)} files and folders, and their cache?"):
            raise UserError("revoked, but nothing was removed", "run it again with --delete --yes")
        removed = delete_derived(root, done)
    if as_json:
        emit_json(done.to_dict() | {"removed": removed})
    elif removed is not None:
        print(f"removed {removed['files']} files and {removed['objects']} cache objects, {removed['bytes']} bytes")


def _agreed(question: str) -> bool:
    """What is answered on the terminal; no where there is none."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False


def _date(option: str, given: str | None) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(given) if given else None
    except ValueError as error:
        raise UserError(f"{option} {given}: no date", "write it as 2026-01-31") from error


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"--sign {path}: {error.strerror or error}", "openssl genpkey -algorithm ed25519") from error
