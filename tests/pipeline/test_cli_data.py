"""`reprovoice data`: files come in whole or not at all, decisions are written and listed, the state is told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from pipeline.cli import main
from pipeline.params_entry import with_voice
from stages.params import load_params
from voice.contracts import Segments
from voice.tables import write_table

ROOT = Path(__file__).resolve().parents[2]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def command(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in this process: (status, stdout, stderr)."""
    assert project.is_dir()

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["reprovoice", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        out = capsys.readouterr()
        return int(caught.value.code or 0), out.out, out.err

    return run


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    folder = tmp_path / "takes"
    (folder / "more").mkdir(parents=True)
    for name in ("one.wav", 'Bob\'s "take" 2.WAV', "more/one.wav", "录音.flac"):
        with (folder / name).open("wb") as file:
            soundfile.write(file, np.zeros(800), 8000, format=name.rpartition(".")[2].upper())
    (folder / "notes.txt").write_text("What one says.\n")
    (folder / "all.list").write_text('x/one.wav|b|EN|hello\nBob\'s "take" 2.WAV|b|en|there\nmissing.wav|b|en|x\n')
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(done: tuple[int, str, str], said: str) -> None:
    status, out, err = done
    assert status == 2 and out == ""
    assert said in err and len(err.strip().splitlines()) == 1


def test_add_makes_a_voice_that_the_next_commands_can_use(command: Command, project: Path, takes: Path) -> None:
    before = (project / "params.yaml").read_text()
    files = [str(takes / name) for name in ("one.wav", 'Bob\'s "take" 2.WAV', "more/one.wav", "录音.flac")]
    status, out, err = command("data", "add", "bob", *files, "--lang", "en")
    assert (status, err) == (0, "")
    raw = project / "data/raw/bob"
    assert sorted(tree(raw)) == ["Bob-s-take-2.wav", "one-2.wav", "one.wav", "transcript.txt", "录音.flac"]
    assert (raw / "one-2.wav").read_bytes() == (takes / "more/one.wav").read_bytes()
    assert (raw / "transcript.txt").read_bytes() == b""
    assert "'Bob\\'s \"take\" 2.WAV' is Bob-s-take-2.wav there" in out
    assert load_params(project).voices["bob"].lang == "en"
    assert set(before.splitlines()) <= set((project / "params.yaml").read_text().splitlines())
    steps = out[out.index("next:") :]
    assert "consent new bob" in steps and "rebuild --voice bob" in steps and "params.yaml" not in steps
    assert command("consent", "new", "bob", "--basis", "synthetic", "--scope", "tests")[0] == 0
    assert command("consent", "check", "bob")[0] == 0


def test_add_takes_a_transcript_whose_rows_name_the_files_as_they_were(
    command: Command, project: Path, takes: Path
) -> None:
    files = [str(takes / "one.wav"), str(takes / 'Bob\'s "take" 2.WAV')]
    status, out, _ = command("data", "add", "bob", *files, "--transcript", str(takes / "all.list"), "--json")
    found = json.loads(out)
    assert status == 0 and found["entry"] and found["transcript"] == "transcript.list"
    assert [fault["reason"] for fault in found["faults"]] == ["unknown_recording"]
    assert (project / "data/raw/bob/transcript.txt").read_bytes() == b""
    assert load_params(project).voices["bob"].lang == "auto"


def test_more_files_join_a_voice_and_nothing_is_overwritten(command: Command, project: Path, takes: Path) -> None:
    assert command("data", "add", "bob", str(takes / "one.wav"), "--transcript", str(takes / "notes.txt"))[0] == 0
    raw, params = project / "data/raw/bob", (project / "params.yaml").read_bytes()
    before = tree(raw)
    assert before["transcript.txt"] == b"What one says.\n"
    refused(command("data", "add", "bob", str(takes / "more/one.wav")), "one.wav is in the voice's folder already")
    two = str(takes / "录音.flac")
    refused(
        command("data", "add", "bob", two, "--transcript", str(takes / "notes.txt")), "there is a transcript already"
    )
    refused(command("data", "add", "bob", two, "--lang", "zh"), "voices.bob.lang is auto, not zh")
    assert tree(raw) == before
    assert command("data", "add", "bob", two)[0] == 0
    assert tree(raw) == before | {"录音.flac": Path(two).read_bytes()}
    assert (project / "params.yaml").read_bytes() == params


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Bob", "one.wav"], "voice 'Bob': small letters"),
        (["../x", "one.wav"], "voice '../x': small letters"),
        (["raw", "one.wav"], "voice 'raw'"),
        (["bob", "none.wav"], "none.wav: no such file"),
        (["bob", "more"], "more: no such file"),
        (["bob", "notes.txt"], "not a sound file"),
        (["bob", "empty.wav"], "the file is empty"),
        (["bob", "one.wav", "one.wav"], "given twice"),
        (["bob", "one.wav", "more/one.wav", "--transcript", "all.list"], "too near to that of one.wav"),
        (["bob", "one.wav", "--transcript", "one.docx"], "not a format of a transcript"),
        (["bob", "one.wav", "--transcript", "none.csv"], "none.csv: no such file"),
        (["bob", "one.wav", "--transcript", "gbk.txt"], "gbk.txt: line 1: not UTF-8 at byte 0"),
        (["bob", "录音.flac", "--transcript", "all.list"], "all.list: no row can be used"),
        (["bob", "one.wav", "--lang", "fr"], "'fr' is not one of"),
    ],
)
def test_what_cannot_be_added_leaves_nothing_behind(
    command: Command, project: Path, takes: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    (takes / "empty.wav").touch()
    (takes / "gbk.txt").write_bytes("今天的天气真好，我们出去走走吧。".encode("gbk"))
    (takes / "dvc.yaml").symlink_to(project / "dvc.yaml")
    (takes / "params.yaml").symlink_to(project / "params.yaml")
    monkeypatch.chdir(takes)
    before = tree(takes)
    refused(command("data", "add", *arguments), said)
    assert tree(takes) == before
    assert not list(takes.glob("data/raw/*"))


PARAMS = "# top\nbase: mini\nvoices:\n  ann:\n    lang: en   # hers\n  # a remark\n\nslice:\n  x: 1\n"


def test_an_entry_goes_behind_the_last_voice_and_nothing_else_changes() -> None:
    new = with_voice(PARAMS, "bob", "zh")
    assert new == PARAMS.replace("  # a remark", "  bob:\n    lang: zh\n  # a remark")
    assert with_voice(PARAMS.replace("\n", "\r\n"), "bob", "zh") == new.replace("\n", "\r\n")
    flow = "voices:\n    ann: {lang: en}"
    assert yaml.safe_load(with_voice(flow, "bob", "zh") or "") == {
        "voices": {"ann": {"lang": "en"}, "bob": {"lang": "zh"}}
    }
    for text in ("voices: {}\n", "voices: {ann: {lang: en}}\n", "base: mini\n", "- x\n", "voices:\n"):
        assert with_voice(text, "bob", "zh") is None


def test_without_a_block_of_voices_the_entry_is_told(command: Command, project: Path, takes: Path) -> None:
    text = (project / "params.yaml").read_text()
    at = text.index("voices:"), text.index("# How every text")
    text = text[: at[0]] + "voices: {demo_en: {lang: en}}\n" + text[at[1] :]
    (project / "params.yaml").write_text(text)
    status, out, _ = command("data", "add", "bob", str(takes / "one.wav"), "--lang", "en")
    assert status == 0 and "add to `voices` in params.yaml:  bob: {lang: en}" in out
    assert (project / "params.yaml").read_text() == text


@pytest.fixture
def cut(project: Path) -> Path:
    """A voice with two segments; returns its raw folder."""
    raw = project / "data/raw/bob"
    raw.mkdir(parents=True)
    (raw / "one.wav").write_bytes(b"x")
    (raw / "transcript.txt").write_text("Words.\n")
    make_segments(project, [("one-0001", 0.0, 3.0), ("one-0002", 3.5, 7.0)])
    return raw


def make_segments(project: Path, spans: list[tuple[str, float, float]]) -> None:
    measured = {"recording_seconds": 9.0, "peak_db": -3.0, "level_db": -20.0, "snr_db": 40.0, "clipped": 0}
    rows = [
        {"id": name, "recording": "one", "start": start, "end": end, "seconds": end - start} | measured
        for name, start, end in spans
    ]
    kept = [{key: value for key, value in row.items() if key in Segments.columns} for row in rows]
    write_table(project / "data/bob/segments.jsonl", kept, Segments)


def test_decisions_are_written_and_listed_with_what_they_do_now(command: Command, project: Path, cut: Path) -> None:
    by = ["--who", "Ann", "--why", "a door slams"]
    status, out, _ = command("data", "edit", "bob", "one-0002", "--reject", *by)
    assert status == 0 and "one-0002, one 3.5 to 7 s: reject, by Ann" in out and "rebuild --voice bob" in out
    status, out, _ = command("data", "edit", "bob", "one-0002", "--text", "Right words.", *by)
    assert status == 0 and "stays rejected, by Ann: a door slams" in out
    made = json.loads(command("data", "edit", "bob", "one-0001", "--accept", *by, "--json")[1])
    assert (made["action"], made["accepted"], made["rejected"]) == ("accept", True, False)
    rows = [json.loads(line) for line in (cut / "edits.jsonl").read_text().splitlines()]
    assert [(row["action"], row["segment"], row["start"]) for row in rows] == [
        ("reject", "one-0002", 3.5),
        ("text", "one-0002", 3.5),
        ("accept", "one-0001", 0.0),
    ]

    def states() -> list[tuple[str, list[str]]]:
        listed = json.loads(command("data", "edits", "bob", "--json")[1])["edits"]
        return [(item["state"], item["holds_for"]) for item in listed]

    assert states() == [("holds", ["one-0002"]), ("holds", ["one-0002"]), ("holds", ["one-0001"])]
    make_segments(project, [("one-0001", 0.0, 4.0), ("one-0002", 4.0, 7.0)])
    assert states() == [("holds", ["one-0001", "one-0002"]), ("stale", []), ("stale", [])]
    command("data", "edit", "bob", "one-0001", "--accept", *by)
    command("data", "edit", "bob", "one-0002", "--accept", *by)
    assert states()[0] == ("replaced", [])
    table = command("data", "edits", "bob")[1]
    assert "a door slams" in table and "text: Right words." in table
    (project / "data/bob/segments.jsonl").unlink()
    assert states()[0] == ("not built", [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["one-0002"], "0 decisions given"),
        (["one-0002", "--reject", "--accept"], "2 decisions given"),
        (["one-002", "--reject"], "no segment 'one-002' (did you mean one-0002?)"),
        (["one-0002", "--text", " ... "], "text = ' ... ': holds no letter or digit"),
        (["one-0002", "--reject", "--who", " "], "who = ' '"),
    ],
)
def test_a_wrong_decision_is_one_line_and_writes_nothing(
    command: Command, cut: Path, arguments: list[str], said: str
) -> None:
    refused(command("data", "edit", "bob", "--who", "Ann", "--why", "noise", *arguments), said)
    assert not (cut / "edits.jsonl").exists()


@pytest.mark.usefixtures("cut")
def test_a_voice_without_a_folder_and_a_broken_file_of_edits_are_one_line(command: Command, cut: Path) -> None:
    for name in ("nobody", "../raw", ""):
        refused(command("data", "edits", name), "no folder data/raw/")
        refused(command("data", "status", name), "no folder data/raw/")
    (cut / "edits.jsonl").write_text("{}\n")
    refused(command("data", "edits", "bob"), "edits.jsonl: line 1: recording: missing")


def test_status_counts_what_was_kept_and_set_aside_by_reason(command: Command, project: Path, cut: Path) -> None:
    rejected = [{"id": "one-x1", "seconds": 1.5, "reason": "too_short"}, {"id": "one-x2", "reason": "too_short"}]
    (project / "data/bob/segments.rejected.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rejected))
    (project / "data/bob/recordings.jsonl").write_text(json.dumps({"id": "one", "seconds": 9.0}) + "\n")
    command("data", "edit", "bob", "one-0001", "--reject", "--who", "Ann", "--why", "noise")
    status, out, _ = command("data", "status", "bob", "--json")
    found = json.loads(out)
    assert status == 0 and found["files"] == 1
    assert found["transcript"] == {"source": "transcript.txt", "utterances": 1, "faults": {}}
    assert found["recordings"]["seconds"] == 9.0
    assert (found["segments"]["count"], found["segments"]["seconds"]) == (2, 6.5)
    assert (
        found["segments"]["rejected"] == {"too_short": 2} and found["segments"]["rejected_seconds"]["too_short"] == 1.5
    )
    assert found["edits"] == {"count": 1, "actions": {"reject": 1}, "states": {"holds": 1}}
    (cut / "transcript.srt").write_text("x")
    (cut / "edits.jsonl").write_text("x")
    status, out, _ = command("data", "status", "bob")
    assert status == 0 and "too_short" in out and "two transcripts" in out and "edits.jsonl: line 1: not JSON" in out


def test_consent_new_makes_an_empty_transcript_and_keeps_one_that_is_there(
    command: Command, project: Path, takes: Path
) -> None:
    raw = project / "data/raw/bob"
    raw.mkdir(parents=True)
    (raw / "one.wav").write_bytes((takes / "one.wav").read_bytes())
    arguments = ["consent", "new", "bob", "--basis", "synthetic", "--scope", "tests"]
    status, out, _ = command(*arguments)
    assert status == 0 and "transcript.txt: made, empty" in out and (raw / "transcript.txt").read_bytes() == b""
    (raw / "transcript.txt").write_text("Words.\n")
    assert "transcript.txt" not in command(*arguments)[1]
    assert (raw / "transcript.txt").read_text() == "Words.\n"
    assert json.loads(command(*arguments, "--json")[1])["transcript_created"] is False
