"""The rebuild flow: every stale DVC stage as one Prefect task, in parallel across voices, one GPU slot.

DVC decides what is stale and records the result; this file decides when stages run and shows how.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prefect import flow, get_client, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.concurrency.sync import concurrency
from prefect.states import Completed, Failed, State
from prefect.task_runners import ThreadPoolTaskRunner

from pipeline.children import CHILDREN
from pipeline.flowrun import report_of
from pipeline.plan import StageNode, read_plan
from pipeline.results import RebuildReport, StageResult
from pipeline.settings import child_environment, project_root

GPU = "gpu"
# What DVC tells a person at a keyboard after each stage; kept in the run's log, left out of the console.
ADVICE = (
    "To track the changes with git",
    "\tgit add ",
    "To enable auto staging",
    "\tdvc config core.autostage",
    "Use `dvc push`",
)


def default_workers() -> int:
    """Stages at once when nobody says: each uses a thread or two itself."""
    return max(2, min(4, (os.cpu_count() or 2) // 2))


def run_stage_command(node: StageNode, root: Path) -> StageResult:
    """Run one stage through DVC, printing its lines with the stage's name in front.

    Raises RuntimeError with the last words of a stage that fails, StoppedError when the run is cancelled.
    """
    lines: list[str] = []
    log = get_run_logger()

    def show(line: str) -> None:
        lines.append(line)
        log.info(line)
        if not line.startswith(ADVICE):
            print(f"[{node.address}] {line}", file=sys.stderr, flush=True)

    # -s: this stage only, the flow walks the graph; --wait-for-lock: others hold DVC's lock for moments.
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "-s", node.address]
    started = time.monotonic()
    status = CHILDREN.run(command, cwd=root, env=child_environment(), on_line=show)
    seconds = round(time.monotonic() - started, 2)
    if status != 0:
        raise RuntimeError(failure_reason(lines, status))
    if f"Stage '{node.address}' didn't change, skipping" in lines:
        return StageResult(node.address, "Unchanged", seconds, "inputs came out identical")
    restored = any(line.startswith(f"Stage '{node.address}' is cached") for line in lines)
    note = "restored from the run cache" if restored else "; ".join(node.reasons) or "upstream changed"
    return StageResult(node.address, "Rebuilt", seconds, note)


def failure_reason(lines: list[str], status: int) -> str:
    """The line that says why: the stage's own last line before DVC's ERROR, else DVC's last line."""
    busy = [line for line in lines if "is busy, it is being blocked by" in line]
    if busy:
        return f"another run of this stage is in progress: {busy[-1]}"
    last = next((number for number, line in enumerate(lines) if line.startswith("ERROR: ")), len(lines))
    said = [line for line in lines[:last] if not line.startswith(("Running stage ", "> "))]
    return (said or lines or [f"exit status {status}"])[-1]


@task(task_run_name="{node.address}", cache_policy=NO_CACHE)
def run_stage(node: StageNode, root: Path, slots: threading.Semaphore) -> State[StageResult]:
    """One stage as a task; its state is named Rebuilt or Unchanged."""
    # A GPU stage first waits for the GPU and then takes a slot, so that waiting keeps no one from working.
    with _gpu_slot() if node.gpu else nullcontext(), slots:
        result = run_stage_command(node, root)
    return Completed(name=result.state, message=result.note, data=result)


def _gpu_slot() -> Any:
    # strict: an unknown name must not mean "unlimited"; but a server hiccup must not end a training run.
    return concurrency(GPU, occupy=1, strict=True, raise_on_lease_renewal_failure=False)


def _stop_children(flow: Any, flow_run: Any, state: Any) -> None:
    """What Prefect calls when it ends the run from outside."""
    CHILDREN.stop()


@flow(name="rebuild", on_cancellation=[_stop_children], on_crashed=[_stop_children], validate_parameters=True)
def rebuild(
    targets: list[str] | None = None,
    voices: list[str] | None = None,
    gpus: int = 1,
    workers: int | None = None,
) -> State[RebuildReport]:
    """Rebuild what is stale among `targets` (stage names) and `voices`, or everything.

    `gpus` stages with `meta: {gpu: true}` run at once, `workers` stages in all. A stage that fails stops
    only what needs it. Ends Failed when any stage failed.
    """
    root = project_root()
    nodes = read_plan(root, targets or (), voices or ())
    dirty = [node for node in nodes if node.dirty]
    CHILDREN.reset()
    slots = threading.Semaphore(workers or default_workers())
    if any(node.gpu for node in dirty):
        with get_client(sync_client=True) as client:
            client.upsert_global_concurrency_limit_by_name(GPU, gpus)
    futures: dict[str, Any] = {}
    results: dict[str, StageResult] = {}
    # Waiting for upstream takes a thread, so each stage gets one; `slots` bounds the real work.
    runner: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=max(1, len(dirty)))
    with runner:
        try:
            for node in dirty:
                above = [futures[name] for name in node.upstream if name in futures]
                work = run_stage.with_options(retries=node.retries, retry_delay_seconds=1)
                parameters = {"node": node, "root": root, "slots": slots}
                futures[node.address] = runner.submit(work, parameters=parameters, wait_for=above)
            for name, future in futures.items():
                future.wait()
                results[name] = _outcome(name, future.state)
        except BaseException:
            CHILDREN.stop()  # inside the block, whose end waits for the threads that wait for the children
            raise
    unchanged = {node.address: StageResult(node.address, "Unchanged") for node in nodes if not node.dirty}
    report = RebuildReport([(results | unchanged)[node.address] for node in nodes])
    create_table_artifact(
        table=[asdict(result) for result in report.stages], key="rebuild", description="State of every stage"
    )
    text = ", ".join(f"{count} {name.lower()}" for name, count in report.counts().items() if count)
    return Completed(message=text, data=report) if report.ok else Failed(message=text, data=report)


def _outcome(name: str, state: State[Any]) -> StageResult:
    """The result of a finished task, also when it failed or never ran."""
    if state.is_completed():
        result = state.result()
        assert isinstance(result, StageResult)
        return result
    if state.name == "NotReady":
        return StageResult(name, "NotReady", note="a stage it needs failed")
    error = state.result(raise_on_failure=False)
    return StageResult(name, "Failed", note=str(error) or state.message or "failed")


def run_rebuild(targets: list[str], voices: list[str], gpus: int = 1, workers: int | None = None) -> RebuildReport:
    """Run the flow in this process and return its report."""
    parameters = {"targets": targets, "voices": voices, "gpus": gpus, "workers": workers}
    return report_of(rebuild, parameters, RebuildReport)
