"""`reprovoice schedule`: narrations on a timetable, of one script or of whatever lies in an inbox."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

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
from pipeline.engine import DEFAULT_ENGINE, find_loader
from pipeline.output import complain, emit_json, emit_table
from pipeline.settings import name_in, project_root
from voice.consent.gate import permit_engine
from voice.errors import UserError

app = typer.Typer(help="Narrate on a timetable; schedules.yaml holds it.", no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(help="The schedule's name.")]


@app.command()
def add(
    name: Name,
    voice: Voice,
    script: Annotated[Path | None, typer.Option("--script", help="The script to narrate, with --out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the result.")] = None,
    inbox: Annotated[Path | None, typer.Option("--inbox", help="Narrate every script dropped in this folder.")] = None,
    outbox: Annotated[Path | None, typer.Option("--outbox", help="Folder for the results of --inbox.")] = None,
    cron: Annotated[str | None, typer.Option("--cron", help='Five fields, e.g. "0 3 * * *".')] = None,
    every: Annotated[str | None, typer.Option("--every", help="60s, 5m, 2h or 1d.")] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="Of --cron and --quiet, as Europe/Berlin.")] = "UTC",
    quiet: Annotated[str | None, typer.Option("--quiet", help="Hours without starts, as 08:00-20:00.")] = None,
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
    batch: Batch = 8,
    runner: Runner = "local",
    gate: Gating = None,
    engine: EngineName = DEFAULT_ENGINE,
    as_json: Json = False,
) -> None:
    """Write a schedule down; `schedule serve` runs it.

    What is due in quiet hours starts once at their end; a script that is being narrated when they begin is finished.
    """
    from pipeline.schedule import add_schedule, make_schedule

    root = project_root()
    find_loader(engine)
    paths = {"script": script, "out": out, "inbox": inbox, "outbox": outbox, "cast": cast, "cover": cover}
    entry: dict[str, Any] = {key: name_in(root, path.resolve()) for key, path in paths.items() if path is not None}
    entry |= {"voice": voice, "cron": cron, "every": every, "timezone": timezone, "quiet": quiet}
    entry |= {"lang": lang, "noise_scale": noise_scale, "length_scale": length_scale, "rate": rate, "mark": mark}
    entry |= {"loudness": loudness, "chapters": chapters, "strict": strict, "watermark": watermark, "gate": gate}
    entry |= {"formats": [form.lower() for form in formats or ["flac"]], "batch": batch, "runner": runner}
    schedule = make_schedule(name, {**entry, "engine": engine})
    if engine == DEFAULT_ENGINE:
        from pipeline.voices import voice_folders

        voice_folders(root, voice)
    permit_engine(root, voice, "narrate")
    _check_source(root, schedule)
    add_schedule(root, name, schedule)
    emit_json({"name": name, **schedule.model_dump(mode="json", exclude_none=True)}) if as_json else print(
        f"{name}: added; a running `reprovoice schedule serve` has to be started again"
    )


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show all schedules."""
    from pipeline.schedule import read_schedules

    found = read_schedules(project_root())
    if as_json:
        emit_json({name: entry.model_dump(mode="json", exclude_none=True) for name, entry in found.items()})
        return
    rows = [
        [
            name,
            e.script or f"{e.inbox}/*",
            e.voice,
            e.out or f"{e.outbox}/*",
            f"{e.cron or f'every {e.every}'} {e.timezone}",
            e.quiet or "",
            ", ".join(_shown(key, value) for key, value in e.given().items()),
        ]
        for name, e in found.items()
    ]
    emit_table(["name", "script", "voice", "out", "when", "quiet", "options"], rows)


@app.command()
def remove(name: Name, as_json: Json = False) -> None:
    """Delete a schedule; what it made stays."""
    from pipeline.schedule import remove_schedule

    remove_schedule(project_root(), name)
    emit_json({"removed": name}) if as_json else print(f"{name}: removed")


@app.command("run-now")
def run_now(name: Name, as_json: Json = False) -> None:
    """Run a schedule now, in this process: quiet hours or not, but after a narration that is running."""
    from pipeline.schedule import find_schedule, read_schedules
    from pipeline.server import running_server

    root = project_root()
    entry = find_schedule(read_schedules(root), name)
    if url := running_server(root):
        os.environ.setdefault("PREFECT_API_URL", url)  # so that the run is listed beside those of `serve`
    from pipeline.flowrun import report_of
    from pipeline.scheduling.flows import Visit
    from pipeline.scheduling.serve import flow_of

    visit = report_of(flow_of(entry), entry.parameters(), Visit)
    if as_json:
        emit_json(visit.to_dict())
    elif not visit.files:
        print("nothing to do")
    for done in visit.files:
        if done.outcome not in ("narrated", "ignored"):
            complain(f"{done.script}: {done.outcome}: {done.note}")
        elif not as_json:
            if done.note and done.output:
                print(f"doubtful: {done.script}: {done.note}", file=sys.stderr)
            counts = [f"{done.report[key]} {key}" for key in ("rendered", "cached", "failed") if key in done.report]
            print(": ".join(filter(None, [done.script, done.output, ", ".join(counts) or done.note])))
    if not visit.ok:
        raise typer.Exit(1)


@app.command()
def serve() -> None:
    """Run all schedules until interrupted."""
    from pipeline.scheduling.serve import serve_schedules

    serve_schedules(project_root())


def _shown(key: str, value: Any) -> str:
    """An option that is not as usual, for a table."""
    return f"{key} {' '.join(value) if isinstance(value, list) else value}" if value is not True else key


def _check_source(root: Path, schedule: Any) -> None:
    """Read script, cast and cover, or make the inbox. Raises UserError for a mistake in one, or a folder in another."""
    schedule.check_files(root, root / schedule.script if schedule.script else None)
    if schedule.script is not None:
        return
    inbox, outbox = (root / schedule.inbox).resolve(), (root / schedule.outbox).resolve()
    if inbox.is_relative_to(outbox) or outbox.is_relative_to(inbox):
        raise UserError(f"{schedule.inbox}, {schedule.outbox}: one lies in the other", "give two folders side by side")
    for folder in (inbox, outbox):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{folder}: {error.strerror or error}", "give a folder you can write to") from error
