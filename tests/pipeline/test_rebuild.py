"""The rebuild flow does what `dvc repro` does, voices side by side, and cleans up when it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from pipeline_fakes import add_recording, dvc, make_project, ran
from prefect.settings import PREFECT_API_URL

from pipeline.plan import read_plan
from pipeline.rebuild import failure_reason, run_rebuild
from pipeline.settings import child_environment

pytestmark = pytest.mark.usefixtures("prefect_server")


def states(root: Path) -> dict[str, str]:
    assert root == Path.cwd()
    report = run_rebuild([], [])
    return {item.stage: item.state for item in report.stages}


def test_rebuild_gives_the_same_lock_as_dvc_repro(
    built_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path / "project")
    monkeypatch.chdir(root)
    report = run_rebuild([], [])
    assert report.ok
    assert report.counts()["Rebuilt"] == 6
    assert len(ran(root)) == 6
    # As values: voices that run side by side may end in another order.
    assert yaml.safe_load((root / "dvc.lock").read_text()) == yaml.safe_load((built_once / "dvc.lock").read_text())
    dvc(root, "repro", "-q")
    assert ran(root) == []


def test_a_failing_voice_stops_only_its_own_chain_and_a_rerun_does_the_rest(built: Path) -> None:
    add_recording(built, "ann", "fail here\n")  # upper-cased by ingest, so that slice fails
    add_recording(built, "bob", "new words\n")
    report = run_rebuild([], [])
    found = {item.stage: item.state for item in report.stages}
    assert not report.ok
    assert found == {
        "ingest@ann": "Rebuilt",
        "slice@ann": "Failed",
        "train_semantic@ann": "NotReady",
        "ingest@bob": "Rebuilt",
        "slice@bob": "Rebuilt",
        "train_semantic@bob": "Rebuilt",
    }
    assert next(item.note for item in report.stages if item.state == "Failed") == "error: the text says FAIL"
    add_recording(built, "ann", "mended\n")
    left = [node.address for node in read_plan(built) if node.dirty]
    assert left == ["ingest@ann", "slice@ann", "train_semantic@ann"]


def test_identical_outputs_leave_descendants_unchanged(built: Path) -> None:
    add_recording(built, "ann", "this is ann\na different second line\n")
    assert states(built) == {
        "ingest@ann": "Rebuilt",
        "slice@ann": "Rebuilt",  # same first line, so the same output
        "train_semantic@ann": "Unchanged",
        "ingest@bob": "Unchanged",
        "slice@bob": "Unchanged",
        "train_semantic@bob": "Unchanged",
    }
    assert ran(built) == ["clean data/ann/clean.txt", "cut data/ann/first.txt"]


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_cancelled_rebuild_leaves_no_process_behind(built: Path, number: signal.Signals) -> None:
    add_recording(built, "ann", "sleep\n")  # upper-cased: slice@ann sleeps
    env = {**child_environment(), "REPROVOICE_TEST_RUN": str(built)}
    env.pop("PREFECT_API_URL", None)
    if number == signal.SIGTERM:  # the tests' server, which is quick; the slow case starts and must end its own
        env["PREFECT_API_URL"] = str(PREFECT_API_URL.value())
    command = [sys.executable, "-m", "pipeline.cli", "rebuild", "--voice", "ann"]
    here = str(Path(__file__).resolve().parents[2])
    started = subprocess.Popen(
        command,
        cwd=built,
        env={**env, "PYTHONPATH": here},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (built / "sleeping").exists():
        assert started.poll() is None, started.stderr.read() if started.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(marked(built)) > 2
    started.send_signal(number)
    _, said = started.communicate(timeout=60)
    assert started.returncode not in (0, None)
    assert "Traceback" not in said
    assert marked(built) == []


def marked(root: Path) -> list[int]:
    """Processes, other than zombies, that carry this test's mark in their environment."""
    mark = f"REPROVOICE_TEST_RUN={root}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


def test_a_stage_that_runs_elsewhere_is_named_as_such() -> None:
    lines = ["ERROR: 'data/x' is busy, it is being blocked by:", "  (PID 12): dvc repro"]
    assert failure_reason(lines, 255).startswith("another run of this stage is in progress")
    assert failure_reason([], 7) == "exit status 7"
