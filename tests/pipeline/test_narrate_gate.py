"""From the command line to the review page: a line that fails the gate is told, and with --strict there is no book."""

from __future__ import annotations

import fcntl
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pipeline_fakes import load_fake
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.engine import DEFAULT_ENGINE, find_loader
from pipeline.narration import read_manifest
from pipeline.scheduling.slot import gpu_slot, machine_slot, slot_file

COMMON = ["--voice", "ann", "--engine", "pipeline_fakes:load_fake", "--direct"]
GATE = ["--gate", "pipeline_fakes:load_gate"]


def narrate(*more: str, script: str = "book.txt") -> Any:
    return CliRunner().invoke(app, ["narrate", script, *COMMON, *more])


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("REPROVOICE_SLOTS", str(tmp_path / "slots"))


def test_a_failing_line_is_listed_and_strict_stops_the_book(built: Path) -> None:
    script, out = built / "book.txt", built / "out/book"
    script.write_text("The first line.\nThis one is HOPELESS.\nThe last line.\n")
    done = narrate(*GATE, "--strict", "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout[done.stdout.index("{") :])
    assert list(report["counts"]) == ["lines", "rendered", "cached", "removed", "failed"]
    assert (report["counts"]["failed"], report["assembled"], report["outputs"]) == (1, False, [])
    assert re.search(r"line 2: words are missing", report["doubtful"][0])
    assert not list(out.glob("book.*"))

    rows = read_manifest(out)
    assert [row["ok"] for row in rows] == [True, False, True]
    assert rows[1]["attempts"] == 3 and rows[1]["reasons"][0] == "words are missing"
    page = (out / "review.html").read_text()
    assert page.count("<article") == 1 + sum(row["ok"] and row["attempts"] > 1 for row in rows)
    assert "This one is HOPELESS." in page and f'src="./{rows[1]["file"]}"' in page and "words are missing" in page
    assert (out / rows[1]["file"]).is_file()
    facts = json.loads((built / ".cache/items/narrate" / f"{rows[1]['key']}.json").read_text())
    seeds = [one["seed"] for one in facts["attempts"]]
    assert len(set(seeds)) == 3 and rows[1]["seed"] in seeds

    done = narrate(*GATE)
    assert done.exit_code == 0 and "3 lines: 0 rendered, 2 cached, 0 removed, 1 failed" in done.output
    assert "doubtful: " in done.output and (out / "book.flac").is_file()
    assert [row["seed"] for row in read_manifest(out)] == [row["seed"] for row in rows]

    script.write_text(script.read_text().replace("HOPELESS", "fine"))
    done = narrate(*GATE, "--strict")
    assert done.exit_code == 0 and "1 rendered, 2 cached, 1 removed, 0 failed" in done.output
    assert "HOPELESS" not in (out / "review.html").read_text()


def test_narrate_on_the_cpu_does_not_wait_where_there_is_a_gpu(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (built / "book.txt").write_text("One line.\n")
    monkeypatch.setattr("pipeline.scheduling.slot.has_gpu", lambda: True)
    with machine_slot():
        done = narrate()
    assert done.exit_code == 0 and "waiting" not in done.output


def test_the_plan_tells_lines_that_are_there_but_not_judged(built: Path) -> None:
    (built / "book.txt").write_text("One line.\nOne line.\nThis one is HOPELESS.\n")
    assert narrate().exit_code == 0
    (built / "book.txt").write_text("One line.\nOne line.\nThis one is HOPELESS.\nA new line.\n")

    def plan(*more: str) -> dict[str, Any]:
        run = CliRunner().invoke(app, ["plan", "book.txt", *COMMON[:-1], *more, "--json"])
        found: dict[str, Any] = json.loads(run.stdout)
        return {name: found[name] for name in ("lines", "to_render", "cached", "to_judge")}

    assert plan() == {"lines": 4, "to_render": 1, "cached": 3, "to_judge": 0}
    assert plan(*GATE) == {"lines": 4, "to_render": 1, "cached": 3, "to_judge": 3}
    shown = CliRunner().invoke(app, ["plan", "book.txt", *COMMON[:-1], *GATE]).output
    assert "1 to render" in shown and "3 cached (3 to judge)" in shown
    assert narrate(*GATE).exit_code == 0
    assert plan(*GATE) == {"lines": 4, "to_render": 0, "cached": 4, "to_judge": 0}


def test_other_engines_have_no_gate_unless_asked(built: Path) -> None:
    (built / "book.txt").write_text("This one is HOPELESS.\n")
    assert narrate("--strict").exit_code == 0
    assert not (built / "out/book/review.html").exists()
    done = narrate("--gate", "on")
    assert done.exit_code == 0 and "ann: its base has no phone recogniser" in done.output
    done = CliRunner().invoke(app, ["plan", "book.txt", *COMMON[:-1], "--gate", "on", "--json"])
    assert "no phone recogniser" in json.loads(done.stdout)["warnings"][0]
    assert "--gate maybe: not known" in str(narrate("--gate", "maybe").exception)


def test_a_schedule_tells_the_failing_line(built: Path, prefect_server: None) -> None:
    (built / "book.txt").write_text("The first line.\nThis one is HOPELESS.\n")
    run = CliRunner().invoke
    add = ["schedule", "add", "NAME", "--script", "book.txt", "--every", "1d", *COMMON[:-1], *GATE]
    assert run(app, [*add, "--out", "free", "--format", "m4b", "--loudness", "r128-23"]).exit_code == 0
    done = run(app, ["schedule", "run-now", "NAME"])
    assert done.exit_code == 0, done.output
    assert "doubtful: book.txt: to listen to, see review.html" in done.output and "words are missing" in done.output
    assert (built / "free/book.m4b").is_file() and (built / "free/review.html").is_file()
    add[2] = "strict"
    assert run(app, [*add, "--out", "strict", "--strict"]).exit_code == 0
    done = run(app, ["schedule", "run-now", "strict"])
    assert done.exit_code == 1 and "book.txt: failed: " in done.output and "words are missing" in done.output
    assert not (built / "strict/book.flac").exists() and (built / "strict/review.html").is_file()
    shown = run(app, ["schedule", "list", "--json"])
    assert json.loads(shown.stdout)["NAME"]["formats"] == ["m4b"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--format", "mp5"], "NAME.formats: --format mp5: not known"),
        (["--cast", "none.yaml"], "none.yaml: no such cast"),
        (["--cover", "none.png"], "none.png"),
        (["--watermark", "nobodys"], "watermark 'nobodys': no installed package offers it"),
        (["--gate", "nowhere:gate"], "gate nowhere:gate"),
        (["--runner", "dask:x"], "NAME.runner: runner 'dask:x'"),
    ],
)
def test_a_schedule_with_a_wrong_option_is_not_added(built: Path, more: list[str], said: str) -> None:
    (built / "book.txt").write_text("One line.\n")
    add = ["schedule", "add", "NAME", "--script", "book.txt", "--out", "out", "--every", "1d", *COMMON[:-1]]
    done = CliRunner().invoke(app, [*add, *more])
    assert done.exit_code != 0 and said in str(done.exception) and "\n" not in str(done.exception)
    assert not (built / "schedules.yaml").exists()


def on_gpu(root: Path, name: str) -> Any:
    """A loader whose engines compute on a GPU."""
    return load_fake(root, name)


on_gpu.gpu = True  # type: ignore[attr-defined]


def test_narrations_on_one_gpu_wait_and_those_on_the_cpu_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    slot_file().parent.mkdir(parents=True, exist_ok=True)
    with machine_slot(), gpu_slot(on_gpu):  # no GPU: nothing to wait for
        pass
    monkeypatch.setattr("pipeline.scheduling.slot.has_gpu", lambda: True)
    with machine_slot(), gpu_slot(find_loader(DEFAULT_ENGINE)), gpu_slot(load_fake):  # voices speak on the CPU
        pass
    told: list[str] = []
    with slot_file().open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        def waiting() -> None:
            told.append("waits")
            fcntl.flock(held, fcntl.LOCK_UN)

        with gpu_slot(on_gpu, waiting):
            told.append("holds it")
    assert told == ["waits", "holds it"]
