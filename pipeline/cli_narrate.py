"""`reprovoice plan` and `reprovoice narrate`: what a script needs, and the book made of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_options import EngineName, Json, Lang, Length, Noise, Rate, Voice
from pipeline.engine import DEFAULT_ENGINE, SayOptions, find_loader
from pipeline.output import complain, emit_json
from pipeline.settings import project_root

if TYPE_CHECKING:
    from pipeline.narration.options import BookOptions
    from pipeline.narration.report import NarrationPlan, NarrationReport

Script = Annotated[Path, typer.Argument(help=".txt, .md, .epub, .jsonl, .csv, .srt or .vtt.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder; default out/<script>.")]
CastFile = Annotated[Path | None, typer.Option("--cast", help="YAML file: NAME: voice.")]
Formats = Annotated[list[str] | None, typer.Option("--format", help="wav, flac, opus, mp3 or m4b (repeatable).")]
Loud = Annotated[str, typer.Option("--loudness", help="none, r128-16, r128-18, r128-23 (LUFS) or acx.")]
Cover = Annotated[Path | None, typer.Option("--cover", help="JPEG or PNG for flac, opus, mp3, m4b.")]
Chapters = Annotated[bool, typer.Option("--chapters", help="One file a chapter, too.")]
Strict = Annotated[bool, typer.Option("--strict", help="No book while a line fails; lines are kept.")]
Mark = Annotated[str, typer.Option("--mark", help="none, or tone: a soft rhythm that says a machine speaks.")]
Watermark = Annotated[str | None, typer.Option("--watermark", help="One that an installed package offers.")]
Batch = Annotated[int, typer.Option("--batch", min=1, help="Lines a task.")]
Runner = Annotated[str, typer.Option("--runner", help="local, threads:N, processes:N, dask:N or ray:N.")]
Direct = Annotated[bool, typer.Option("--direct", help="Without Prefect: no record of the run.")]
GateName = Annotated[str | None, typer.Option("--gate", help="module:function that gives a judge.", hidden=True)]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("plan")(plan)
    app.command("narrate")(narrate)


def plan(
    script: Script,
    voice: Voice,
    out: Out = None,
    cast: CastFile = None,
    lang: Lang = "auto",
    noise_scale: Noise = None,
    length_scale: Length = None,
    rate: Rate = None,
    gate: GateName = None,
    engine: EngineName = DEFAULT_ENGINE,
    as_json: Json = False,
) -> None:
    """Show what narrating a script would do."""
    from pipeline.narration import BookOptions, Narration
    from pipeline.narration.gate import find_gate

    root = project_root()
    options = SayOptions(lang, noise_scale, length_scale, rate)
    book, judge = BookOptions(cast=cast), find_gate(gate, root)
    job = Narration(
        root, script.resolve(), voice, _folder(root, out, script), options, find_loader(engine), book, judge
    )
    found = job.plan()
    if as_json:
        emit_json(found.to_dict())
    else:
        _show_plan(found)


def narrate(
    script: Script,
    voice: Voice,
    out: Out = None,
    cast: CastFile = None,
    formats: Formats = None,
    loudness: Loud = "none",
    cover: Cover = None,
    chapters: Chapters = False,
    strict: Strict = False,
    mark: Mark = "none",
    watermark: Watermark = None,
    lang: Lang = "auto",
    noise_scale: Noise = None,
    length_scale: Length = None,
    rate: Rate = None,
    direct: Direct = False,
    batch: Batch = 8,
    runner: Runner = "local",
    gate: GateName = None,
    engine: EngineName = DEFAULT_ENGINE,
    as_json: Json = False,
) -> None:
    """Narrate a script; only new and edited lines are rendered."""
    from pipeline.narration.options import BookOptions
    from pipeline.runners import parse_runner

    root = project_root()
    options = SayOptions(lang, noise_scale, length_scale, rate)
    chosen = tuple(form.lower() for form in formats or ["flac"])
    cast, cover = (path.resolve() if path else None for path in (cast, cover))
    book = BookOptions(cast, chosen, loudness, cover, chapters, strict, mark, watermark)
    parse_runner(runner)
    folder, path = _folder(root, out, script), script.resolve()
    if direct:
        from pipeline.narration import run_narration
        from pipeline.narration.gate import find_gate

        judge = find_gate(gate, root)
        report = run_narration(root, path, voice, folder, options, find_loader(engine), book=book, gate=judge)
    else:
        _check(path, book)
        from pipeline.narrate import run_flow

        report = run_flow(path, voice, folder, options, engine, book, gate=gate, batch=batch, runner=runner)
    _show(report, as_json)
    if not report.ok:
        raise typer.Exit(1)


def _check(script: Path, book: BookOptions) -> None:
    """A bad script, cast or cover is told before a server starts."""
    from pipeline.scripts import read_cast, read_script

    read_script(script, read_cast(book.cast) if book.cast else None)
    if book.cover is not None:
        from voice.mastering.cover import read_cover

        read_cover(book.cover)


def _folder(root: Path, out: Path | None, script: Path) -> Path:
    return (out or root / "out" / script.stem).resolve()


def _show_plan(found: NarrationPlan) -> None:
    time = "unknown time" if found.estimate is None else f"about {found.estimate:.0f} s, until {found.eta}"
    minutes = "" if found.minutes is None else f", about {found.minutes:.1f} minutes of speech"
    print(
        f"{found.lines} lines, {found.characters} characters{minutes}: {found.to_render} to render ({time}), "
        f"{found.cached} cached, {found.changed} changed, {found.removed} removed"
    )
    for warning in found.warnings:
        print(f"note: {warning}", file=sys.stderr)


def _show(report: NarrationReport, as_json: bool) -> None:
    if as_json:
        emit_json(report.to_dict())
    else:
        made = f"{report.output}: {report.seconds:.1f} s" if report.assembled else f"{report.output}: not made"
        print(
            f"{made}, {report.lines} lines: {report.rendered} rendered, "
            f"{report.cached} cached, {report.removed} removed, {report.failed} failed"
        )
    for warning in report.warnings:
        print(f"note: {warning}", file=sys.stderr)
    for doubt in report.doubtful:
        if report.ok:
            print(f"doubtful: {doubt}", file=sys.stderr)
        else:
            complain(doubt)
    for error in report.errors:
        complain(error)
