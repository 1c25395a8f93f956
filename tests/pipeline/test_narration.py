"""Narration renders what is missing and nothing else, and survives being killed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile
from pipeline_fakes import FakeVoice, load_fake

from pipeline.engine import SayOptions, line_key, line_seed
from pipeline.narration import LineStore, Narration, NarrationReport, read_manifest, run_narration
from voice.errors import UserError
from voice.label import read_label

LINES = [f"Sentence number {number} of the book." for number in range(1, 21)]


def tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def write(root: Path, lines: list[str]) -> Path:
    (root / "book.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root / "book.txt"


def go(root: Path, lines: list[str], options: SayOptions | None = None, voice: str = "ann") -> NarrationReport:
    return run_narration(root, write(root, lines), voice, root / "out", options or SayOptions(), load_fake)


def test_a_script_becomes_lines_a_joined_file_and_a_manifest(tmp_path: Path) -> None:
    report = go(tmp_path, ["First line.", "Second line.", "", "", "# After a pause."])
    assert (report.lines, report.rendered, report.cached, report.removed, report.failed) == (3, 3, 0, 0, 0)
    rows = read_manifest(tmp_path / "out")
    assert [row["index"] for row in rows] == [1, 2, 3]
    assert [row["line"] for row in rows] == [1, 2, 5]
    assert rows[2]["text"] == "# After a pause."
    for row in rows:
        file = tmp_path / "out" / row["file"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == row["sha256"]
        assert soundfile.info(file).duration == pytest.approx(row["seconds"], abs=1e-4)
        assert row["seed"] == line_seed(row["key"])
    # Each line is as long as its text says, 0.35 s after a full stop, 0.8 s between paragraphs.
    assert rows[1]["start"] == pytest.approx(0.11 + 0.35, abs=1e-3)
    assert rows[2]["start"] == pytest.approx(0.11 + 0.35 + 0.12 + 0.8, abs=1e-3)
    assert soundfile.info(tmp_path / "out/book.flac").duration == pytest.approx(report.seconds, abs=1e-3)


def test_every_file_is_labelled_as_generated(tmp_path: Path) -> None:
    go(tmp_path, ["One.", "Two."])
    files = list((tmp_path / "out").rglob("*.flac"))
    assert len(files) == 3
    assert {read_label(file) for file in files} == {"AI-generated speech: reprovoice voice=ann"}
    facts = json.loads((tmp_path / "out/book.flac.json").read_text())
    assert facts["label"].startswith("AI-generated speech")
    assert facts["weights"] == {"weights": "w1"}


def test_a_second_run_renders_nothing_and_changes_no_byte(tmp_path: Path) -> None:
    go(tmp_path, LINES)
    before = tree(tmp_path / "out")
    report = go(tmp_path, LINES)
    assert (report.rendered, report.cached) == (0, 20)
    assert tree(tmp_path / "out") == before


def test_editing_one_line_renders_exactly_that_line(tmp_path: Path) -> None:
    go(tmp_path, LINES)
    before = {row["text"]: row["sha256"] for row in read_manifest(tmp_path / "out")}
    report = go(tmp_path, [*LINES[:9], "An edited sentence.", *LINES[10:]])
    assert (report.lines, report.rendered, report.cached, report.removed) == (20, 1, 19, 1)
    assert report.rendered_lines == [10]
    after = {row["text"]: row["sha256"] for row in read_manifest(tmp_path / "out")}
    assert {text: after[text] for text in before if text in after} == {t: s for t, s in before.items() if t != LINES[9]}
    assert len(list((tmp_path / "out/lines").iterdir())) == 20


def test_reordering_and_moving_lines_between_paragraphs_renders_none(tmp_path: Path) -> None:
    go(tmp_path, LINES)
    shuffled = random.Random(3).sample(LINES, len(LINES))
    report = go(tmp_path, [*shuffled[:5], "", *shuffled[5:]])
    assert (report.rendered, report.cached, report.removed) == (0, 20, 0)
    assert [row["text"] for row in read_manifest(tmp_path / "out")] == shuffled


def test_a_line_said_twice_is_rendered_once(tmp_path: Path) -> None:
    report = go(tmp_path, ["Again.", "Other.", "Again."])
    assert (report.lines, report.rendered, report.cached) == (3, 2, 1)


def test_weights_and_parameters_are_part_of_the_key(tmp_path: Path) -> None:
    key = line_key("Text.", {"weights": "a"}, SayOptions())
    assert key == line_key("Text.", {"weights": "a"}, SayOptions())
    assert key != line_key("Text.", {"weights": "b"}, SayOptions())
    assert key != line_key("Text.", {"weights": "a"}, SayOptions(length_scale=1.1))
    go(tmp_path, LINES[:3])
    assert go(tmp_path, LINES[:3], SayOptions(length_scale=1.2)).rendered == 3
    (tmp_path / "models/ann").mkdir(parents=True)
    (tmp_path / "models/ann/semantic.txt").write_text("retrained")
    assert go(tmp_path, LINES[:3]).rendered == 3


def test_a_line_that_cannot_be_said_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    report = go(tmp_path, ["Good.", "BROKEN one.", "Also good."])
    assert (report.lines, report.rendered, report.cached, report.failed, report.ok) == (3, 2, 0, 1, False)
    assert len(report.errors) == 1
    assert "book.txt, line 2: no phones for BROKEN" in report.errors[0]
    rows = read_manifest(tmp_path / "out")
    assert [row["file"] is None for row in rows] == [False, True, False]
    assert json.loads((tmp_path / "out/book.flac.json").read_text())["missing_lines"] == [2]


def test_a_damaged_cached_line_is_rendered_again(tmp_path: Path) -> None:
    go(tmp_path, LINES[:3])
    before = tree(tmp_path / "out")
    file = next((tmp_path / ".cache/items/narrate").glob("*.flac"))
    file.write_bytes(file.read_bytes()[:-7])
    assert go(tmp_path, LINES[:3]).rendered == 1
    assert tree(tmp_path / "out") == before


def test_other_files_in_the_output_folder_are_left_alone(tmp_path: Path) -> None:
    go(tmp_path, LINES[:2])
    (tmp_path / "out/lines/mine.flac").write_bytes(b"x")
    go(tmp_path, LINES[:1])
    assert {path.name[:4] for path in (tmp_path / "out/lines").iterdir()} == {"0001", "mine"}


def test_the_plan_counts_without_rendering(tmp_path: Path) -> None:
    go(tmp_path, LINES[:4])
    script = write(tmp_path, ["New.", *LINES[1:4]])
    job = Narration(tmp_path, script, "ann", tmp_path / "out", SayOptions(), load_fake)
    plan = job.plan()
    assert (plan.lines, plan.to_render, plan.cached, plan.changed, plan.removed) == (4, 1, 3, 1, 1)
    assert plan.estimate is not None
    engine = job.engines.get("ann")
    assert isinstance(engine, FakeVoice)
    assert engine.said == []


KILLED = """
import sys, time
from pathlib import Path
from pipeline_fakes import FakeVoice
from pipeline.engine import SayOptions
from pipeline.narration import run_narration

class Slow(FakeVoice):
    def say(self, text, **options):
        time.sleep(0.15)
        return super().say(text, **options)

root = Path(sys.argv[1])
run_narration(root, root / "book.txt", "ann", root / "out", SayOptions(), lambda root, name: Slow())
"""


def test_a_killed_narration_goes_on_where_it_was_and_ends_with_the_same_files(tmp_path: Path) -> None:
    log = tmp_path / "said.log"
    write(tmp_path, LINES)
    paths = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "FAKE_VOICE_LOG": str(log)}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    started = subprocess.Popen(command, env=env, cwd=tmp_path)
    store = LineStore(tmp_path / ".cache/items/narrate")
    deadline = time.monotonic() + 60
    while len(list(store.folder.glob("*.json"))) < 6:
        assert started.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()
    finished = len(list(store.folder.glob("*.json")))
    assert 6 <= finished < 20
    assert not (tmp_path / "out/manifest.jsonl").exists()
    report = go(tmp_path, LINES)
    assert (report.rendered, report.cached) == (20 - finished, finished)
    resumed = tree(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    shutil.rmtree(store.folder)
    assert go(tmp_path, LINES).rendered == 20
    assert tree(tmp_path / "out") == resumed


def test_two_narrations_into_one_folder_are_refused(tmp_path: Path) -> None:
    seen: list[str] = []

    def inner(done: int, total: int) -> None:
        with pytest.raises(UserError, match="another narration is writing there"):
            go(tmp_path, ["One."])
        seen.append("refused")

    run_narration(tmp_path, write(tmp_path, ["One."]), "ann", tmp_path / "out", SayOptions(), load_fake, inner)
    assert seen


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no line to speak"),
        (b" \n\n\t\n", "no line to speak"),
        (b"fine\n\xff\xfe\n", "line 2: not UTF-8"),
        (b"short\n" + b"x" * 2001, "line 2: 2001 characters"),
    ],
)
def test_a_bad_script_is_one_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "book.txt").write_bytes(content)
    with pytest.raises(UserError, match=said):
        run_narration(tmp_path, tmp_path / "book.txt", "ann", tmp_path / "out", SayOptions(), load_fake)
    assert not (tmp_path / "out").exists()


def test_a_damaged_manifest_is_named_with_its_line(tmp_path: Path) -> None:
    go(tmp_path, ["One."])
    (tmp_path / "out/manifest.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match=r"manifest.jsonl, line 1"):
        go(tmp_path, ["One."])


def test_a_rate_in_hz_holds_for_every_line_and_the_whole(tmp_path: Path) -> None:
    go(tmp_path, LINES[:2], SayOptions(rate=48000))
    files = [*sorted((tmp_path / "out/lines").glob("*.flac")), tmp_path / "out/book.flac"]
    assert len(files) == 3 and {soundfile.info(file).samplerate for file in files} == {48000}
    for rate in (7999, 200_000):
        with pytest.raises(UserError, match="--rate"):
            SayOptions(rate=rate)
