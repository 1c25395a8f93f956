"""`reprovoice plan` and `reprovoice narrate`: what a script needs, and the book made of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_options import (
    Batch,
    CastFile,
    Chapters,
    Cover,
    EngineName,
    Formats,
    Gating,
    Json,
    Lang,
    Length,
    Loud,
    Mark,
    Noise,
    Rate,
    Runner,
    Strict,
    Voice,
    Watermark,
)
from pipeline.engine import DEFAULT_ENGINE, SayOptions, find_loader
from pipeline.output import complain, emit_json
from pipeline.settings import project_root

if TYPE_CHECKING:
    from pipeline.narration.report import NarrationPlan, NarrationReport

Script = Annotated[Path, typer.Argument(help=".txt, .md, .epub, .jsonl, .csv, .srt or .vtt.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder; default out/<script>.")]
Direct = Annotated[bool, typer.Option("--direct", help="Without Prefect: no record of the run.")]


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
    gate: Gating = None,
    engine: EngineName = DEFAULT_ENGINE,
    as_json: Json = False,
) -> None:
    """Show what narrating a script would do."""
    from pipeline.narration import BookOptions, Narration
    from pipeline.narration.gate import chosen_gate, find_gate

    root = project_root()
    options = SayOptions(lang, noise_scale, length_scale, rate)
    book, judge = BookOptions(cast=cast), find_gate(chosen_gate(gate, engine), root)
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
    gate: Gating = None,
    engine: EngineName = DEFAULT_ENGINE,
    as_json: Json = False,
) -> None:
    """Narrate a script; only new and edited lines are rendered."""
    from pipeline.narration.gate import chosen_gate, find_gate
    from pipeline.narration.options import BookOptions
    from pipeline.runners import parse_runner
    from pipeline.scheduling.slot import gpu_slot

    root = project_root()
    options = SayOptions(lang, noise_scale, length_scale, rate)
    chosen = tuple(form.lower() for form in formats or ["flac"])
    cast, cover = (path.resolve() if path else None for path in (cast, cover))
    book = BookOptions(cast, chosen, loudness, cover, chapters, strict, mark, watermark)
    parse_runner(runner)
    judge = chosen_gate(gate, engine)
    folder, path, load = _folder(root, out, script), script.resolve(), find_loader(engine)
    with gpu_slot(load, _say_waiting):
        listener = find_gate(judge, root)
        if direct:
            from pipeline.narration import run_narration

            report = run_narration(root, path, voice, folder, options, load, book=book, gate=listener)
        else:
            from pipeline.narration import Narration
            from pipeline.run_server import start_ahead

            # What is wrong with the script is told before a server starts; the server comes up while networks are read.
            job = Narration(root, path, voice, folder, options, load, book, listener)
            answers = start_ahead(root)
            job.wake()
            from pipeline.narrate import run_flow

            answers()
            report = run_flow(
                path, voice, folder, options, engine, book, gate=judge or "off", batch=batch, runner=runner, job=job
            )
    _show(report, as_json)
    if not report.ok:
        raise typer.Exit(1)


def _say_waiting() -> None:
    print("waiting for another narration on this GPU", file=sys.stderr, flush=True)


def _folder(root: Path, out: Path | None, script: Path) -> Path:
    return (out or root / "out" / script.stem).resolve()


def _show_plan(found: NarrationPlan) -> None:
    time = "unknown time" if found.estimate is None else f"about {found.estimate:.0f} s, until {found.eta}"
    minutes = "" if found.minutes is None else f", about {found.minutes:.1f} minutes of speech"
    judged = f" ({found.to_judge} to judge)" if found.to_judge else ""
    print(
        f"{found.lines} lines, {found.characters} characters{minutes}: {found.to_render} to render ({time}), "
        f"{found.cached} cached{judged}, {found.changed} changed, {found.removed} removed"
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
