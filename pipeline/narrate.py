"""The narration flow: pipeline.narration in batches of lines as Prefect tasks, with a result table."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed, State

from pipeline.engine import DEFAULT_ENGINE, SayOptions, find_loader
from pipeline.flowrun import report_of
from pipeline.narration import BookOptions, Narration, NarrationReport, ahead, only_one
from pipeline.narration.batches import Outcome, adopt, render_batch
from pipeline.narration.gate import chosen_gate, find_gate
from pipeline.progress import Meter
from pipeline.runners import make_runner
from pipeline.settings import project_root
from voice.errors import UserError

BATCH = 8  # lines a task: small enough for a living progress bar, large enough to hide the cost of a task
_WAITING = 2  # batches handed out ahead for each worker; more would only fill memory


def _worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    """A worker that was lost is; what a user has to mend is not."""
    return not isinstance(state.result(raise_on_failure=False), UserError)


@task(
    name="render lines",
    task_run_name="lines {first} to {last}",
    cache_policy=NO_CACHE,
    retries=1,
    retry_condition_fn=_worth_another_try,
)
def render_lines(
    root: str, engine: str, gate: str | None, lines: list[dict[str, Any]], first: int, last: int
) -> list[Outcome]:
    """Render lines `first` to `last` (from 1) of those missing into the line store; what came of each."""
    return render_batch(root, engine, gate, lines)


@flow(name="narrate")
def narrate(
    script: str,
    voice: str,
    out: str,
    lang: str = "auto",
    noise_scale: float | None = None,
    length_scale: float | None = None,
    rate: int | None = None,
    engine: str = DEFAULT_ENGINE,
    cast: str | None = None,
    formats: list[str] | None = None,
    loudness: str = "none",
    cover: str | None = None,
    chapters: bool = False,
    strict: bool = False,
    mark: str = "none",
    watermark: str | None = None,
    gate: str | None = None,
    batch: int = BATCH,
    runner: str = "local",
) -> State[NarrationReport]:
    """Narrate `script` with `voice` into the folder `out` (paths relative to the project's root).

    `engine` names the function that loads the voice; `gate` is on, off, or names the one that gives the judge of lines
    (None: on for real voices). `batch` lines are a task, which `runner` runs. Ends Failed when a line is missing in the
    book, or a line failed and `strict` is set.
    """
    root, gate = project_root(), chosen_gate(gate, engine)
    if batch < 1:
        raise UserError(f"batch {batch}: not 1 or more", "8 is usual")
    options = SayOptions(lang, noise_scale, length_scale, rate)
    book = BookOptions(
        root / cast if cast else None, tuple(formats or ("flac",)), loudness, root / cover if cover else None,
        chapters, strict, mark, watermark,
    )  # fmt: skip
    with only_one(root, root / out):
        if (job := ahead.found()) is None:
            load, judge = find_loader(engine), find_gate(gate, root)
            job = Narration(root, root / script, voice, root / out, options, load, book, judge)
        else:
            job.look_up()  # it waited for the lock
        adopt(job.renderer, str(root), engine, gate)
        plan = job.plan()
        get_run_logger().info("%d lines, %d to render, %d cached", plan.lines, plan.to_render, plan.cached)
        job.wake()
        _render_all(job, str(root), engine, gate, batch, runner)
        report = job.finish()
    return _told(report, script, voice, out)


def _render_all(job: Narration, root: str, engine: str, gate: str | None, batch: int, runner: str) -> None:
    """Render what is missing, with a bar, and a progress artifact that tells when it will be done."""
    total = len(job.todo)
    artifact: Any = create_progress_artifact(progress=0.0 if total else 100.0, description="Lines rendered")
    started, done = time.monotonic(), 0
    with Meter("narrate", "lines", total) as meter:
        for outcomes in _outcomes(_tasks(job, root, engine, gate, batch), runner):
            job.note(outcomes)
            for found in outcomes:
                meter.advance()
                if found["error"]:
                    get_run_logger().error("%s: %s", job.requests[found["key"]].text, found["error"])
            done += len(outcomes)
            left = (time.monotonic() - started) / done * (total - done)
            end = datetime.now().astimezone() + timedelta(seconds=left)
            update_progress_artifact(
                artifact_id=artifact,
                progress=100.0 * done / total,
                description=f"{done} of {total} lines rendered, the last at about {end:%H:%M:%S}",
            )


def _tasks(job: Narration, root: str, engine: str, gate: str | None, batch: int) -> Iterator[dict[str, Any]]:
    """The parameters of each task."""
    first = 1
    for requests in job.batches(batch):
        lines = [request.plain() for request in requests]
        yield {
            "root": root, "engine": engine, "gate": gate, "lines": lines, "first": first, "last": first + len(lines) - 1
        }  # fmt: skip
        first += len(lines)


def _outcomes(tasks: Iterator[dict[str, Any]], runner: str) -> Iterator[list[Outcome]]:
    """What came of each task, in order. A UserError of a task is raised here."""
    tasks_at, workers = make_runner(runner)
    if tasks_at is None:
        for parameters in tasks:
            yield render_lines(**parameters)
        return
    with tasks_at:
        waiting: deque[Any] = deque()
        for parameters in tasks:
            waiting.append(tasks_at.submit(render_lines, parameters=parameters))
            if len(waiting) >= _WAITING * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _told(report: NarrationReport, script: str, voice: str, out: str) -> State[NarrationReport]:
    """The flow's last state, after a table and lines in the log."""
    log = get_run_logger()
    create_table_artifact(table=[report.to_dict()], key="narration", description=f"{script} by {voice}")
    for error in report.errors:
        log.error(error)
    for text in [*report.doubtful, *report.warnings]:
        log.warning(text)
    text = f"{report.rendered} rendered, {report.cached} cached, {report.failed} failed"
    if not report.assembled:
        text += ", no book made"
    if runtime.deployment.id:  # served or by a worker: nobody but the terminal sees this run
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {out}: {text}", file=sys.stderr, flush=True)
    return Completed(message=text, data=report) if report.ok else Failed(message=text, data=report)


def run_flow(
    script: Path,
    voice: str,
    out: Path,
    options: SayOptions,
    engine: str,
    book: BookOptions | None = None,
    *,
    gate: str | None = None,
    batch: int = BATCH,
    runner: str = "local",
    job: Narration | None = None,
) -> NarrationReport:
    """Run the flow in this process and return its report; what stops it (a UserError, say) is raised.

    A `job` of just these values, whose networks the caller has read already, is what the flow carries out.
    """
    made = asdict(book or BookOptions())
    parameters = {
        "script": str(script),
        "voice": voice,
        "out": str(out),
        **asdict(options),
        **made,
        "formats": list(made["formats"]),
        "cast": str(made["cast"]) if made["cast"] else None,
        "cover": str(made["cover"]) if made["cover"] else None,
        "engine": engine,
        "gate": gate,
        "batch": batch,
        "runner": runner,
    }
    with ahead.handed(job):
        return report_of(narrate, parameters, NarrationReport)
