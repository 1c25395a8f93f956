"""The narration flow: pipeline.narration in batches of lines as Prefect tasks, with a result table."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
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
from pipeline.narration import Narration, NarrationReport, only_one
from pipeline.progress import Meter
from pipeline.settings import project_root

BATCH = 8  # lines a task: small enough for a living progress bar, large enough to hide the cost of a task


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
) -> State[NarrationReport]:
    """Narrate `script` with `voice` into the folder `out` (paths relative to the project's root).

    `engine` names the function that loads the voice. Ends Failed when a line failed.
    """
    root = project_root()
    log = get_run_logger()
    options = SayOptions(lang, noise_scale, length_scale, rate)
    with only_one(root, root / out):
        job = Narration(root, root / script, voice, root / out, options, find_loader(engine))
        plan = job.plan()
        log.info("%d lines, %d to render, %d cached", plan.lines, plan.to_render, plan.cached)
        artifact: Any = create_progress_artifact(progress=0.0 if job.todo else 100.0, description="Lines rendered")

        with Meter("narrate", "lines", len(job.todo)) as meter:

            @task(name="render lines", task_run_name="lines {first} to {last}", cache_policy=NO_CACHE)
            def render_lines(first: int, last: int) -> int:
                """Render lines `first` to `last` (from 1) of those missing; return how many could be said."""
                batch = job.todo[first - 1 : last]
                for key in batch:
                    job.render(key)
                    meter.advance()
                    if key in job.errors:
                        get_run_logger().error("%s: %s", job.texts[key], job.errors[key])
                return len([key for key in batch if key not in job.errors])

            for start in range(0, len(job.todo), BATCH):
                end = min(start + BATCH, len(job.todo))
                render_lines(start + 1, end)
                update_progress_artifact(artifact_id=artifact, progress=100.0 * end / len(job.todo))
        report = job.finish()
    create_table_artifact(table=[report.to_dict()], key="narration", description=f"{script} by {voice}")
    for error in report.errors:
        log.error(error)
    text = f"{report.rendered} rendered, {report.cached} cached, {report.failed} failed"
    if runtime.deployment.id:  # served or by a worker: nobody but the terminal sees this run
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {out}: {text}", file=sys.stderr, flush=True)
    return Completed(message=text, data=report) if report.ok else Failed(message=text, data=report)


def run_flow(script: Path, voice: str, out: Path, options: SayOptions, engine: str) -> NarrationReport:
    """Run the flow in this process and return its report; what stops it (a UserError, say) is raised."""
    parameters = {
        "script": str(script),
        "voice": voice,
        "out": str(out),
        **asdict(options),
        "engine": engine,
    }
    return report_of(narrate, parameters, NarrationReport)
