"""`reprovoice ledger`: is it as it was written, and which run made this sound?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_options import Json
from pipeline.output import complain, emit_json
from pipeline.settings import project_root

if TYPE_CHECKING:
    from pipeline.ledger.find import Found

app = typer.Typer(
    help="The signed ledger of generated speech.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)


@app.command()
def verify(as_json: Json = False) -> None:
    """Check the chain and every signature; name the first broken line."""
    from pipeline.ledger.verify import verify as run_verify

    found = run_verify(project_root())
    if as_json:
        emit_json(found.to_dict())
    elif found.ok:
        print(f"verified: {found.lines} lines, {found.committed}")
        for key, count in found.keys.items():
            print(f"  {count} signed by {key}")
    else:
        complain(found.problem)
    if not found.ok:
        raise typer.Exit(1)


@app.command()
def find(
    what: Annotated[str, typer.Argument(metavar="FILE|SHA256|LABEL-ID", help="A file, or what is known of it.")],
    as_json: Json = False,
) -> None:
    """Say which run made a sound: voice, consent, text, weights."""
    from pipeline.ledger.find import find as run_find

    found = run_find(project_root(), what)
    if as_json:
        emit_json({"found": [each.to_dict() for each in found]})
        return
    for each in found:
        _show(each)


@app.command()
def repair() -> None:
    """Take away the part of a last line that a crash left."""
    from pipeline.ledger.verify import repair as run_repair

    print(run_repair(project_root()))


def _show(each: Found) -> None:
    named = {"file": "the very bytes of", "line": "the very bytes of a line of", "label": "by the label alone, of"}
    print(f"line {each.number}, {each.time}, {each.kind}: {named[each.how]} {each.path}")
    for spoke in each.voices:
        consent = f"consent {spoke.consent_id}, record sha256 {spoke.consent_sha256}"
        print(f"  voice {spoke.voice}: {consent if spoke.consent_id else 'no consent record'}")
        for name, value in spoke.weights.items():
            print(f"    {name} {value}")
    print(f"  text sha256 {each.text_sha256}")
    if each.text is not None:
        print(f"  the line says: {each.text}")
    if each.script_sha256:
        print(f"  script sha256 {each.script_sha256}")
    print(f"  parameters sha256 {each.parameters_sha256}")
    for label in each.labels:
        print(f"  label {label}")
