"""The command line: one line and status 2 for a mistake, JSON on request, labelled files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

HERE = Path(__file__).resolve()
ENGINE = "pipeline_fakes:load_fake"


def reprovoice(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(HERE.parent), str(HERE.parents[2])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-m", "pipeline.cli", *arguments]
    return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["say", "hello"], "Missing option '--voice'"),
        (
            ["say", "--voice", "ann", "--out", "x.wav", "--length-scale", "9", "hello"],
            "length_scale 9: out of range",
        ),
        (
            ["say", "--voice", "ann", "--out", "x.wav", "--noise-scale", "nan", "hello"],
            "noise_scale nan: out of range",
        ),
        (["say", "--voice", "ann", "--out", "x.mp5", "--engine", ENGINE, "hello"], "cannot write .mp5"),
        (["say", "--voice", "ann", "--out", "x.wav", "--engine", ENGINE, "  "], "the text is empty"),
        (["narrate", "missing.txt", "--voice", "ann", "--engine", ENGINE], "no such script"),
        (["rebuild", "--voice", "nobody"], "nobody: unknown voice (voices: ann, bob)"),
        (["audit", "nothing"], "no stage makes it"),
        (["consent", "check", "nobody"], "nobody"),
        (["schedule", "remove", "nobody"], "no such schedule"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_status_2(built: Path, arguments: list[str], said: str) -> None:
    done = reprovoice(built, *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_outside_a_project_every_command_says_so(tmp_path: Path) -> None:
    done = reprovoice(tmp_path, "doctor")
    assert done.returncode == 2
    assert "no dvc.yaml here or in any folder above" in done.stderr


def test_help_answers_at_once(tmp_path: Path) -> None:
    times = []
    for _ in range(2):
        started = time.monotonic()
        done = reprovoice(tmp_path, "--help")
        times.append(time.monotonic() - started)
        assert done.returncode == 0
        assert "narrate" in done.stdout
    assert min(times) < 1.0


def test_say_writes_a_labelled_file_with_its_facts(built: Path) -> None:
    arguments = ["--voice", "ann", "--out", "x.wav", "--seed", "5", "--engine", ENGINE, "--json"]
    done = reprovoice(built, "say", "hello there", *arguments)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["seed"], facts["text"]) == (5, "hello there")
    with soundfile.SoundFile(built / "x.wav") as file:
        assert file.comment == "AI-generated speech: reprovoice voice=ann"
        assert len(file) / file.samplerate == pytest.approx(facts["seconds"])
    assert json.loads((built / "x.wav.json").read_text()) == facts


def test_narrate_and_plan_report_counts_and_fail_with_1_when_a_line_fails(built: Path) -> None:
    (built / "book.txt").write_text("One.\nTwo.\n")
    options = ["book.txt", "--voice", "ann", "--engine", ENGINE, "--json"]
    assert json.loads(reprovoice(built, "plan", *options).stdout)["to_render"] == 2
    counts = json.loads(reprovoice(built, "narrate", "--direct", *options).stdout)
    assert {name: counts[name] for name in ("lines", "rendered", "cached", "removed", "failed")} == {
        "lines": 2, "rendered": 2, "cached": 0, "removed": 0, "failed": 0,
    }  # fmt: skip
    assert (built / "out/book/manifest.jsonl").is_file()
    (built / "book.txt").write_text("One.\nBROKEN.\n")
    done = reprovoice(built, "narrate", "--direct", *options)
    assert done.returncode == 1
    assert "line 2: no phones for BROKEN" in done.stderr
    assert json.loads(done.stdout)["failed"] == 1


def test_strict_ends_with_1_and_makes_no_book(built: Path) -> None:
    (built / "book.txt").write_text("One.\nHOPELESS.\n")
    options = ["book.txt", "--voice", "ann", "--engine", ENGINE, "--gate", "pipeline_fakes:load_gate", "--direct"]
    done = reprovoice(built, "narrate", "--strict", "--json", *options)
    assert done.returncode == 1
    assert "book.txt, line 2: " in done.stderr
    assert list(json.loads(done.stdout)["counts"].items())[-1][0] == "failed"
    assert not (built / "out/book/book.flac").exists()
    assert reprovoice(built, "narrate", *options).returncode == 0
    assert (built / "out/book/book.flac").exists()


def test_rebuild_with_nothing_stale_starts_no_server(built: Path) -> None:
    done = reprovoice(built, "rebuild", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["counts"] == {"Unchanged": 6, "Rebuilt": 0, "Failed": 0, "NotReady": 0}


def test_commands_work_from_a_folder_inside_the_project(built: Path) -> None:
    done = reprovoice(built / "data/raw", "rebuild", "--dry", "--json")
    assert {stage["state"] for stage in json.loads(done.stdout)["stages"]} == {"fresh"}


def test_consent_is_written_checked_and_refused_when_the_recording_changes(built: Path) -> None:
    options = ["--basis", "licence", "--licence", "CC0, a library", "--scope", "tests"]
    assert reprovoice(built, "consent", "new", "ann", *options).returncode == 0
    assert reprovoice(built, "consent", "check", "ann").returncode == 0
    (built / "data/raw/ann/recording.flac").write_text("other")
    done = reprovoice(built, "consent", "check", "ann")
    assert done.returncode == 2
    assert "sha256" in done.stderr
