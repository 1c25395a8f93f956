"""`reprovoice schedule`: narrations on a timetable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.engine import DEFAULT_ENGINE, SayOptions, find_loader
from pipeline.output import complain, emit_json, emit_table
from pipeline.settings import project_root

app = typer.Typer(help="Narrate on a timetable; schedules.yaml holds it.", no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Name = Annotated[str, typer.Argument(help="The schedule's name.")]


@app.command()
def add(
    name: Name,
    script: Annotated[Path, typer.Option("--script", help="The script to narrate.")],
    voice: Annotated[str, typer.Option("--voice", help="A voice of params.yaml.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the result.")],
    cron: Annotated[str | None, typer.Option("--cron", help='Five fields in UTC, e.g. "0 3 * * *".')] = None,
    every: Annotated[str | None, typer.Option("--every", help="60s, 5m, 2h or 1d.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="auto, en, zh, ja, ko or yue.")] = "auto",
    engine: Annotated[str, typer.Option("--engine", hidden=True)] = DEFAULT_ENGINE,
    as_json: Json = False,
) -> None:
    """Write a schedule down; `schedule serve` runs it."""
    from pipeline.schedule import add_schedule, make_schedule
    from pipeline.script import read_script

    root = project_root()
    SayOptions(lang=lang)
    read_script(script)
    entry = {
        "script": _inside(root, script),
        "voice": voice,
        "out": _inside(root, out),
        "cron": cron,
        "every": every,
    }
    schedule = make_schedule(name, {**entry, "lang": lang, "engine": engine})
    if engine == DEFAULT_ENGINE:
        from pipeline.voices import voice_folders

        voice_folders(root, voice)
    add_schedule(root, name, schedule)
    emit_json({"name": name, **schedule.model_dump()}) if as_json else print(
        f"{name}: added; a running `reprovoice schedule serve` has to be started again"
    )


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show all schedules."""
    from pipeline.schedule import read_schedules

    found = read_schedules(project_root())
    if as_json:
        emit_json({name: entry.model_dump() for name, entry in found.items()})
        return
    rows = [[name, e.script, e.voice, e.out, e.cron or f"every {e.every}"] for name, e in found.items()]
    emit_table(["name", "script", "voice", "out", "when"], rows)


@app.command()
def remove(name: Name, as_json: Json = False) -> None:
    """Delete a schedule; what it made stays."""
    from pipeline.schedule import remove_schedule

    remove_schedule(project_root(), name)
    emit_json({"removed": name}) if as_json else print(f"{name}: removed")


@app.command("run-now")
def run_now(name: Name, as_json: Json = False) -> None:
    """Run a schedule's narration now, in this process."""
    from pipeline.narration import run_narration
    from pipeline.schedule import find_schedule, read_schedules

    root = project_root()
    entry = find_schedule(read_schedules(root), name)
    options = SayOptions(lang=entry.lang)
    load = find_loader(entry.engine)
    report = run_narration(root, root / entry.script, entry.voice, root / entry.out, options, load)
    emit_json(report.to_dict()) if as_json else print(
        f"{report.output}: {report.rendered} rendered, {report.cached} cached, {report.failed} failed"
    )
    for error in report.errors:
        complain(error)
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def serve() -> None:
    """Run all schedules until interrupted."""
    from pipeline.schedule import serve_schedules

    serve_schedules(project_root())


def _inside(root: Path, path: Path) -> str:
    """A path as schedules.yaml keeps it: relative to the root when it lies inside."""
    full = path.resolve()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else str(full)
