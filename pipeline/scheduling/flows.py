"""What a schedule starts: one Prefect flow run a time, with one run of the narration flow in it for each script.

Both flows wait for the machine's slot first, so that overlapping starts follow one another, and then look at the
clock: in quiet hours nothing starts. A script that is being narrated when they begin is finished.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.artifacts import create_table_artifact
from prefect.states import Completed, Failed, State

from pipeline.engine import DEFAULT_ENGINE
from pipeline.narrate import narrate
from pipeline.output import complain
from pipeline.scheduling.inbox import Handled, Inbox, MachineError, doubts
from pipeline.scheduling.options import NarrationOptions
from pipeline.scheduling.outcome import BusyError, report_or_raise
from pipeline.scheduling.outliving import outliving_output
from pipeline.scheduling.postpone import is_doubled, postpone, quiet_now
from pipeline.scheduling.slot import machine_slot, shared_slot
from pipeline.settings import project_root
from voice.consent.gate import permit_engine
from voice.errors import UserError

BUSY_SECONDS = 15.0


@dataclass(frozen=True)
class Visit:
    """What one start of a schedule did, file by file; `note` says why it did nothing."""

    files: list[Handled] = field(default_factory=list)
    note: str = ""

    @property
    def ok(self) -> bool:
        """True when no file failed, was refused, or waits for the machine."""
        return all(each.outcome in ("narrated", "ignored") for each in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"ok": self.ok, **asdict(self)}


@flow(name="scheduled narration")
def narrate_script(
    script: str,
    voice: str,
    out: str,
    engine: str = DEFAULT_ENGINE,
    options: NarrationOptions | None = None,
    timezone: str = "UTC",
    quiet: str | None = None,
    limit: str | None = None,
) -> State[Visit]:
    """Narrate `script` into `out` (paths relative to the project's root), not in the `quiet` hours of `timezone`.

    `options` say how, as those of `reprovoice narrate` do. `limit` names a global concurrency limit of the Prefect
    server, for several machines.
    """
    root, options = project_root(), options or NarrationOptions()
    with outliving_output(), machine_slot(_say_waiting), shared_slot(limit):
        if note := _held_up(quiet, timezone):
            return _ended(Visit(note=note), script)
        return _ended(Visit([_one(root / script, root / out, voice, engine, options)]), script)


@flow(name="inbox")
def narrate_inbox(
    inbox: str,
    outbox: str,
    voice: str,
    engine: str = DEFAULT_ENGINE,
    options: NarrationOptions | None = None,
    timezone: str = "UTC",
    quiet: str | None = None,
    limit: str | None = None,
) -> State[Visit]:
    """Narrate every script that lies still in `inbox` into a folder of its own in `outbox`, once.

    Each is taken while the quiet hours have not begun; `options` and `limit` as in `narrate_script`.
    """
    root, chosen = project_root(), options or NarrationOptions()
    log = get_run_logger()
    files: list[Handled] = []
    with outliving_output(), _told(inbox), machine_slot(_say_waiting), shared_slot(limit):
        check_voice(root, voice, engine)  # before a script is taken: none is to blame for a wrong voice
        if note := _held_up(quiet, timezone):
            return _ended(Visit(note=note), inbox)
        box = Inbox(root / inbox, root / outbox, lambda path, out: _narrate(path, out, voice, engine, chosen))
        for done in box.visit(lambda: quiet_now(quiet, timezone) is None):
            log.info("%s: %s %s", done.script, done.outcome, done.output or done.note)
            files.append(done)
        end = quiet_now(quiet, timezone)
        note = postpone(end) if end else ""  # the quiet hours began meanwhile: what is left is for their end
        return _ended(Visit(files, note), inbox)


@contextlib.contextmanager
def _told(inbox: str) -> Iterator[None]:
    """What stops a whole visit (a wrong voice, a full disk) is a UserError, and a line for the terminal that serves."""
    try:
        yield
    except (UserError, OSError) as error:
        told: Exception = error
        if isinstance(error, OSError):
            told = UserError(f"{inbox}: {error.strerror or error}", "mend it; the next start goes on")
        if runtime.deployment.id:
            complain(str(told))
        raise told from error


def check_voice(root: Path, voice: str, engine: str) -> None:
    """Raise UserError when there is no such voice, it is not built, or consent does not allow it.

    Other engines know their own voices.
    """
    permit_engine(root, voice, "narrate")
    if engine == DEFAULT_ENGINE:
        from pipeline.voices import voice_folders

        voice_folders(root, voice)


def _one(script: Path, out: Path, voice: str, engine: str, options: NarrationOptions) -> Handled:
    """Narrate a script that stays where it is; wait while a narration that no schedule started writes there."""
    while True:
        try:
            report = _narrate(script, out, voice, engine, options)
            return Handled(script.name, "narrated", str(out), doubts(report), report)
        except BusyError:
            _say_waiting()
            time.sleep(BUSY_SECONDS)
        except UserError as error:
            return Handled(script.name, "failed", note=str(error))
        except MachineError as error:
            return Handled(script.name, "waits", note=str(error))


def _narrate(script: Path, out: Path, voice: str, engine: str, options: NarrationOptions) -> dict[str, Any]:
    """Run the narration flow as a run of its own within this one. Raises as `report_or_raise` does."""
    named = narrate.with_options(flow_run_name=lambda: f"narrate {script.name}")
    state: Any = named(
        script=str(script), voice=voice, out=str(out), engine=engine, **options.given(), return_state=True
    )
    return report_or_raise(state.result(raise_on_failure=False), state.name)


def _held_up(quiet: str | None, timezone: str) -> str:
    """Why this run has nothing to do, "" when it may start."""
    if end := quiet_now(quiet, timezone):
        return postpone(end)
    return "the timetable has a start at this moment, which does it" if is_doubled() else ""


def _say_waiting() -> None:
    get_run_logger().info("another narration is running on this device; waiting for its end")
    if not runtime.deployment.id:
        print("waiting for another narration on this device", file=sys.stderr, flush=True)


def _ended(visit: Visit, what: str) -> State[Visit]:
    """The state of a flow run, with a table of what it did, and lines for the terminal that serves."""
    rows = [
        {"script": each.script, "outcome": each.outcome, "in": each.output, "why": each.note} for each in visit.files
    ]
    for each in visit.files:
        if each.outcome == "narrated" and each.note:
            get_run_logger().warning("%s: %s", each.script, each.note)
            if runtime.deployment.id:
                print(f"{each.script}: {each.note}", file=sys.stderr, flush=True)
    if rows:
        create_table_artifact(table=rows, key="scheduled", description=what)
    counts = {each.outcome: sum(other.outcome == each.outcome for other in visit.files) for each in visit.files}
    text = "; ".join([*(f"{count} {outcome}" for outcome, count in counts.items()), *filter(None, [visit.note])])
    if runtime.deployment.id and [each.outcome for each in visit.files] != ["narrated"]:  # that is told by `narrate`
        for each in visit.files:
            if each.outcome not in ("narrated", "ignored"):
                complain(f"{each.script}: {each.outcome}: {each.note}")
        if text:
            print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {what}: {text}", file=sys.stderr, flush=True)
    return (Completed if visit.ok else Failed)(message=text or "nothing to do", data=visit)
