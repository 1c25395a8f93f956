"""The narration flow: the same work as pipeline.narration, seen by Prefect, whoever renders the lines."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from pipeline.engine import SayOptions
from pipeline.ledger.chain import read_lines
from pipeline.narrate import run_flow
from pipeline.narration import BookOptions, NarrationReport, read_manifest
from pipeline.runners import parse_runner
from voice.errors import UserError

pytestmark = pytest.mark.usefixtures("prefect_server")
ENGINE = "pipeline_fakes:load_fake"
GATE = "pipeline_fakes:load_gate"


def go(root: Path, **more: object) -> NarrationReport:
    return run_flow(root / "book.txt", "ann", root / "out", SayOptions(), ENGINE, **more)  # type: ignore[arg-type]


def tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_flow_renders_caches_and_reports_failing_lines(built: Path) -> None:
    script = built / "book.txt"
    script.write_text("".join(f"Sentence {number}.\n" for number in range(20)))
    report = go(built)
    assert (report.lines, report.rendered, report.failed, report.ok) == (20, 20, 0, True)
    script.write_text(script.read_text().replace("Sentence 7.", "BROKEN."))
    report = go(built)
    assert (report.rendered, report.cached, report.failed, report.ok) == (0, 19, 1, False)
    assert len(read_manifest(built / "out")) == 20
    with pytest.raises(UserError, match="no such script"):
        run_flow(built / "no.txt", "ann", built / "out", SayOptions(), ENGINE)


def test_a_retrained_voice_is_heard_in_the_same_process(built: Path) -> None:
    (built / "book.txt").write_text("One.\nTwo.\n")
    assert go(built).rendered == 2
    (built / "models/ann/semantic.txt").write_text("retrained")
    assert go(built).rendered == 2
    assert go(built).rendered == 0
    spoken = [line.entry.voices[0] for line in read_lines(built)]  # the third run made nothing new
    assert [spoke.weights["weights"] == "retrained" for spoke in spoken] == [False, True]
    assert [len(spoke.lines) for spoke in spoken] == [2, 2]


RUNS: list[dict[str, object]] = [
    {"batch": 1},
    {"batch": 4},
    {"batch": 16},
    {"batch": 4, "runner": "threads:3"},
    {"batch": 3, "runner": "processes:2"},
]


def test_batches_and_workers_leave_the_bytes_alone(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))  # processes must find the fake engine
    lines = [f"Sentence number {number}." for number in range(17)]
    (built / "book.txt").write_text("\n".join(lines) + "\n")
    trees = []
    for more in RUNS:
        report = go(built, book=BookOptions(formats=("flac", "wav")), gate=GATE, **more)
        assert (report.rendered + report.failed, report.errors) == (17, [])
        trees.append(tree(built / "out"))
        shutil.rmtree(built / "out")
        shutil.rmtree(built / ".cache/items/narrate")
    assert len(trees[0]) == 17 + 2 * 2 + 2 + 2  # lines, books with sidecars, subtitles, manifest and review
    assert all(found == trees[0] for found in trees)


@pytest.mark.skipif(importlib.util.find_spec("prefect_dask") is None, reason="prefect-dask is not installed")
def test_a_dask_cluster_gives_the_same_bytes(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    (built / "book.txt").write_text("".join(f"Sentence {number}.\n" for number in range(9)))
    assert go(built, batch=2, runner="dask:2").rendered == 9
    found = tree(built / "out")
    shutil.rmtree(built / "out")
    shutil.rmtree(built / ".cache/items/narrate")
    assert go(built).rendered == 9
    assert tree(built / "out") == found


@pytest.mark.parametrize(("runner", "package"), [("dask:2", "prefect_dask"), ("ray:2", "prefect_ray")])
def test_a_missing_package_of_a_runner_is_one_clear_line(built: Path, runner: str, package: str) -> None:
    if importlib.util.find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    (built / "book.txt").write_text("One.\n")
    with pytest.raises(UserError, match=r"its package is not installed .*reprovoice\["):
        go(built, runner=runner)


@pytest.mark.parametrize("runner", ["", "local:2", "threads", "threads:0", "threads:x", "dask:x", "fork:2", "ray:999"])
def test_a_runner_that_is_not_known_is_refused(runner: str) -> None:
    with pytest.raises(UserError, match="runner"):
        parse_runner(runner)


def test_an_address_stands_for_a_running_cluster() -> None:
    assert parse_runner("dask:tcp://10.0.0.1:8786") == ("dask", 16, "tcp://10.0.0.1:8786")
    assert parse_runner("processes:3") == ("processes", 3, None)


def test_what_stops_a_batch_in_another_process_reaches_the_user(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])]))
    (built / "book.txt").write_text("One.\nFULL two.\n")
    with pytest.raises(UserError, match="no space left"):
        go(built, batch=1, runner="processes:2")
