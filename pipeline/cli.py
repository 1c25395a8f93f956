"""The command `reprovoice`. Heavy imports happen inside the commands, so that --help answers at once."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli_audit import register as register_audit
from pipeline.cli_consent import app as consent_app
from pipeline.cli_data import app as data_app
from pipeline.cli_data_report import register as register_report
from pipeline.cli_ledger import app as ledger_app
from pipeline.cli_narrate import register as register_narrate
from pipeline.cli_official import register as register_official
from pipeline.cli_options import EngineName, Json, Lang, Length, Noise, Rate, Voice
from pipeline.cli_read import register as register_read
from pipeline.cli_schedule import app as schedule_app
from pipeline.engine import DEFAULT_ENGINE, SayOptions, find_loader
from pipeline.output import complain, emit_json, emit_table
from pipeline.settings import project_root
from voice.errors import UserError

app = typer.Typer(
    name="reprovoice",
    help="Clone a voice from a minute of speech, rebuild it, narrate with it, trace every sound.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(schedule_app, name="schedule")
app.add_typer(consent_app, name="consent")
app.add_typer(data_app, name="data")
app.add_typer(ledger_app, name="ledger")
register_official(app)
register_read(app)
register_narrate(app)
register_report(data_app)
register_audit(app)


@app.command()
def rebuild(
    targets: Annotated[list[str] | None, typer.Argument(help="Stages, e.g. slice or slice@demo_en.")] = None,
    voice: Annotated[list[str] | None, typer.Option("--voice", help="Only this voice; may be repeated.")] = None,
    gpus: Annotated[int, typer.Option(min=1, help="GPU stages at once.")] = 1,
    workers: Annotated[int | None, typer.Option(min=1, help="Stages at once.")] = None,
    dry: Annotated[bool, typer.Option("--dry", help="Only show what is stale.")] = False,
    as_json: Json = False,
) -> None:
    """Run every stale stage, voices side by side."""
    from pipeline.plan import read_plan
    from pipeline.results import RebuildReport, StageResult

    root = project_root()
    nodes = read_plan(root, targets or (), voice or ())
    if dry:
        rows = [[node.address, "stale" if node.dirty else "fresh", "; ".join(node.reasons)] for node in nodes]
        if as_json:
            emit_json({"stages": [dict(zip(("stage", "state", "why"), row, strict=True)) for row in rows]})
        else:
            emit_table(["stage", "state", "why"], rows)
        return
    if any(node.dirty for node in nodes):
        from pipeline.rebuild import run_rebuild

        os.chdir(root)
        report = run_rebuild(targets or [], voice or [], gpus, workers)
    else:
        report = RebuildReport([StageResult(node.address, "Unchanged") for node in nodes])
    if as_json:
        emit_json(report.to_dict())
    else:
        emit_table(
            ["stage", "state", "s", "note"],
            [[item.stage, item.state, f"{item.seconds:.0f}", item.note] for item in report.stages],
        )
    if not report.ok:
        failed = [item for item in report.stages if item.state == "Failed"]
        complain("; ".join(f"{item.stage} failed: {item.note}" for item in failed))
        raise typer.Exit(1)


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="What to say.")],
    voice: Voice,
    out: Annotated[Path, typer.Option("--out", help="A .wav or .flac file.")],
    ref: Annotated[Path | None, typer.Option("--ref", help="A clip whose manner to follow.")] = None,
    ref_text: Annotated[str | None, typer.Option("--ref-text", help="What the clip says.")] = None,
    also_like: Annotated[
        list[Path] | None, typer.Option("--also-like", help="A further clip to average the timbre with (repeatable).")
    ] = None,
    prompt: Annotated[
        bool | None, typer.Option("--prompt/--no-prompt", help="Go on from the clip's own tokens too, or not.")
    ] = None,
    lang: Lang = "auto",
    noise_scale: Noise = None,
    length_scale: Length = None,
    rate: Rate = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Default: from the content.")] = None,
    engine: EngineName = DEFAULT_ENGINE,
    as_json: Json = False,
) -> None:
    """Speak one text into a labelled file."""
    from pipeline.speak import speak

    options = SayOptions(lang, noise_scale, length_scale, rate)
    load = find_loader(engine)
    facts = speak(
        project_root(), text, voice, out, options, load,
        ref=ref, ref_text=ref_text, seed=seed, prompt=prompt, also_like=also_like or (),
    )  # fmt: skip
    for warning in facts["warnings"]:
        print(f"note: {warning}", file=sys.stderr)
    emit_json(facts) if as_json else print(f"{out}: {facts['seconds']:.2f} s, seed {facts['seed']}, {facts['label']}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check the environment, the base weights, the voices, and say what is stale."""
    from pipeline.doctor import diagnose

    found = diagnose(project_root())
    if as_json:
        emit_json(found.to_dict())
    else:
        rows = [["ok" if check.ok else "WRONG", check.name, check.detail] for check in found.checks]
        emit_table(["", "check", "finding"], rows)
    if not found.ok:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line. Status: 0 success, 1 the work failed, 2 bad usage or input, 130 interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)  # an orderly end, so that servers and children are stopped
    try:
        status = app(standalone_mode=False)
    except UserError as error:
        complain(str(error))
        status = 2
    except KeyboardInterrupt:
        complain("interrupted")
        status = 130
    except Exception as error:
        message = getattr(error, "format_message", None)  # Typer's usage errors
        if message is None:
            if type(error).__name__ == "Abort":
                complain("interrupted")
                sys.exit(130)
            raise
        context = getattr(error, "ctx", None)
        hint = f" (see `{context.command_path} --help`)" if context is not None else ""
        if text := message():
            complain(f"{text}{hint}")
        status = 2
    gc.freeze()  # else Python looks for cycles in all that DVC and an answer left, a fifth of the time of an audit
    sys.exit(status if isinstance(status, int) else 0)


def _leave(number: int, _: Any) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
