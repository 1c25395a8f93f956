"""`reprovoice audit`: what made this, what did this become, is it as it was, can it be made again."""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli_options import Json
from pipeline.settings import project_root
from voice.errors import UserError

OWN = "signed with this project's own certificate, which nobody else trusts; --certificate and --key take another"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("audit")(audit)


def audit(
    path: Annotated[
        str | None, typer.Argument(help="An output (models/<voice>, a sound, a narration), or an input with --forward.")
    ] = None,
    forward: Annotated[bool, typer.Option("--forward", help="What became of an input, or of FILE:SECTION.")] = False,
    consent: Annotated[str | None, typer.Option("--consent", help="What rests on a consent: its id or sha256.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read every byte; name the first broken link.")] = False,
    stage: Annotated[
        str | None, typer.Option("--reproduce", help="Run a stage again in a clean copy, as slice@demo_en; compare.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the answer for an output as a page, too.")] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            help="Write models/<voice> as model card, SLSA, CycloneDX ... into a folder, a sound signed (C2PA).",
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", help="PEM chain that signs an exported sound, or a signer to trust in one."),
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="PEM key of the first certificate, to sign with.")] = None,
    as_json: Json = False,
) -> None:
    """Say which data, parameters, code and base weights made an output, and whether they changed; and more."""
    asked = [name for name, on in (("--forward", forward), ("--consent", consent), ("--verify", verify),
                                   ("--reproduce", stage), ("--export", export)) if on]  # fmt: skip
    if len(asked) > 1:
        raise UserError(f"{' and '.join(asked)}: one question at a time", "see `reprovoice audit --help`")
    if path is None and (not asked or forward or export):
        raise UserError("audit needs a path", "for example `reprovoice audit models/<voice>`")
    if path is not None and (consent or stage):
        raise UserError(f"{asked[0]} takes no path", f"leave {path} out")
    if key and not export or certificate and asked not in ([], ["--export"]):
        raise UserError("--certificate and --key go with a sound", "see `reprovoice audit --help`")
    root = project_root()
    if html is not None:
        _check_page(root, path, asked, html)
    with _uncollected():
        if export:
            _export(root, Path(path or ""), export, certificate, key, as_json)
        elif stage:
            _reproduce(root, stage, as_json)
        elif verify:
            _verify(root, path, as_json)
        elif consent:
            _forward(root, None, consent, as_json)
        elif forward or (path is not None and _asks_forward(root, path)):
            _forward(root, path, None, as_json)
        else:
            _backward(root, Path(path or ""), as_json, html, certificate)


def _check_page(root: Path, path: str | None, asked: list[str], html: Path) -> None:
    """Raise UserError, before the audit, for a page that would not be made."""
    if asked or path is None or _asks_forward(root, path):
        raise UserError("--html goes with the path of an output", "for example `reprovoice audit models/<voice>`")
    from pipeline.audit.page import check_page

    check_page(html)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """An answer is built once and printed: looking for cycles in it again and again takes a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _asks_forward(root: Path, path: str) -> bool:
    """A raw file has no past but a future."""
    full = Path(path).resolve()
    return full.is_relative_to(root / "data" / "raw")


def _backward(root: Path, path: Path, as_json: bool, html: Path | None, certificate: Path | None) -> None:
    from pipeline.audit import audit as run_audit

    found = run_audit(root, path, certificate)
    if html is not None:
        from pipeline.audit.page import write_page

        write_page(found, html)
    if as_json:
        emit_json(found.to_dict())
    else:
        from pipeline.audit.view import print_audit

        print_audit(found)
    _leave(found.fresh)


def _forward(root: Path, path: str | None, consent: str | None, as_json: bool) -> None:
    from pipeline.audit.forward import forward

    found = forward(root, path, consent)
    _show(found, "print_forward", as_json)


def _verify(root: Path, path: str | None, as_json: bool) -> None:
    from pipeline.audit.verify import verify

    found = verify(root, Path(path) if path else None)
    _show(found, "print_verified", as_json)
    _leave(found.ok)


def _reproduce(root: Path, stage: str, as_json: bool) -> None:
    from pipeline.audit.reproduce import reproduce

    found = reproduce(root, stage)
    _show(found, "print_reproduced", as_json)
    _leave(found.ok)


def _export(root: Path, path: Path, out: Path, certificate: Path | None, key: Path | None, as_json: bool) -> None:
    from pipeline.audit.records import SOUNDS

    told: dict[str, Any] = {}
    if path.suffix in SOUNDS:
        from pipeline.audit.credentials.sign import export_credentials

        signed = export_credentials(root, path, out, certificate, key)
        files, told = signed.files, {"signer": signed.signer, "own": signed.own}
    elif certificate or key:
        raise UserError(f"{path}: only sounds are signed", "leave out --certificate and --key")
    else:
        from pipeline.audit.exports import export

        files = tuple(export(root, path, out))
    made = [str(file) for file in files]
    emit_json({"files": made, **told}) if as_json else print("\n".join(made))
    if told.get("own"):
        print(f"note: {OWN}", file=sys.stderr)


def _show(found: Any, printer: str, as_json: bool) -> None:
    if as_json:
        emit_json(found.to_dict())
        return
    from pipeline.audit import view_answers

    getattr(view_answers, printer)(found)


def emit_json(value: Any) -> None:
    """Print one JSON object on one line: indented, ten thousand utterances take a second longer.

    As bytes: DVC puts a stream before stdout that looks for colours in all that is printed. Half signs are no UTF-8,
    and are written as escapes with all else that is not ASCII.
    """
    try:
        data = json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        data = json.dumps(value, default=str).encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(data + b"\n")
    sys.stdout.buffer.flush()


def _leave(good: bool) -> None:
    if not good:
        raise typer.Exit(1)
