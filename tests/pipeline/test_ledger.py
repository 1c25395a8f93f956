"""The ledger tells every changed byte, holds every run once, and finds a sound by its bytes or its label."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_fakes import load_fake, run
from typer.testing import CliRunner

from pipeline.audit import audit
from pipeline.cli import app
from pipeline.engine import SayOptions
from pipeline.ledger import LEDGER, LedgerError
from pipeline.ledger.append import append
from pipeline.ledger.chain import read_lines
from pipeline.ledger.entry import Output, Run, Spoke
from pipeline.ledger.find import find
from pipeline.ledger.key import KEY
from pipeline.ledger.verify import repair, verify
from pipeline.narration import BookOptions, run_narration
from pipeline.scheduling.inbox import MachineError
from pipeline.scheduling.outcome import report_or_raise
from pipeline.speak import speak
from voice.errors import UserError
from voice.files import sha256_file


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_run(place: str = "out/a.wav", text: str = "a", lines: tuple[str, ...] = ()) -> Run:
    spoke = Spoke(voice="ann", consent_id="c", consent_sha256=sha("c"), weights={"semantic": sha("w")}, lines=[*lines])
    return Run(
        kind="say", place=place, voices=[spoke], script_sha256=None, text_sha256=sha(text),
        parameters_sha256=sha("p"), outputs=[Output(path=place, sha256=sha(text + place))],
    )  # fmt: skip


def entries(root: Path) -> list[Any]:
    return [line.entry for line in read_lines(root)]


def narrate(root: Path, lines: list[str], out: str = "out/book", **book: Any) -> Any:
    script = root / "book.txt"
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return run_narration(root, script, "ann", root / out, SayOptions(), load_fake, book=BookOptions(**book))


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("five")
    for number in range(5):
        append(root, a_run(f"out/{number}.wav", f"text {number}", lines=(sha(f"line {number}"),)))
    return root


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_one_changed_byte_is_told_with_its_line(five: Path, data: st.DataObject) -> None:
    whole = (five / LEDGER).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    mask = data.draw(st.integers(1, 255))
    line = whole[:place].count(b"\n") + 1
    try:
        (five / LEDGER).write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        found = verify(five)
    finally:
        (five / LEDGER).write_bytes(whole)
    assert not found.ok and found.line == line and f"line {line}:" in found.problem
    assert verify(five).ok


def test_lines_taken_out_moved_doubled_or_signed_anew_are_told(five: Path, tmp_path: Path) -> None:
    rows = (five / LEDGER).read_bytes().splitlines(keepends=True)
    other = tmp_path / "other"
    append(other, a_run("out/1.wav", "forged"))
    forged = json.loads((other / LEDGER).read_text())
    cases = {
        "out": ([rows[0], *rows[2:]], 2), "moved": ([rows[1], rows[0], *rows[2:]], 1),
        "doubled": ([rows[0], rows[0], *rows[1:]], 2),
        # a stranger's whole entry in the place of one: its own signature holds, the chain does not
        "forged": ([rows[0], json.dumps(forged, sort_keys=True, separators=(",", ":")).encode() + b"\n", *rows[2:]], 2),
    }  # fmt: skip
    for name, (changed, line) in cases.items():
        root = tmp_path / name
        (root / "ledger").mkdir(parents=True)
        (root / LEDGER).write_bytes(b"".join(changed))
        assert verify(root).line == line, name


def test_lines_cut_off_are_seen_by_git(five: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(five, root)
    run(root, "git", "init", "-q")
    run(root, "git", "add", LEDGER)
    run(root, "git", "-c", "user.name=t", "-c", "user.email=t", "commit", "-q", "-m", "five")
    append(root, a_run("out/6.wav", "six"))
    assert verify(root).ok and verify(root).committed == "5 in the present commit"
    rows = (root / LEDGER).read_bytes().splitlines(keepends=True)
    (root / LEDGER).write_bytes(b"".join(rows[:3]))
    assert verify(root).line == 4
    (root / LEDGER).unlink()
    assert verify(root).line == 1
    assert run(root, "git", "status", "--porcelain", "--ignored", KEY).stdout == f"!! {KEY}\n"


def test_the_key_is_its_owners_alone_and_others_are_refused(tmp_path: Path) -> None:
    append(tmp_path, a_run())
    key = tmp_path / KEY
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o640)
    with pytest.raises(LedgerError, match="others can read it"):
        append(tmp_path, a_run("out/b.wav"))
    key.chmod(0o600)
    key.write_text("no key")
    with pytest.raises(LedgerError, match="no private key"):
        append(tmp_path, a_run("out/b.wav"))
    key.unlink()
    append(tmp_path, a_run("out/b.wav"))
    assert verify(tmp_path).ok and len(verify(tmp_path).keys) == 2
    assert str(tmp_path) not in (tmp_path / LEDGER).read_text()


def test_a_run_is_written_once_and_again_when_another_came_between(tmp_path: Path) -> None:
    one, two = a_run(text="one", lines=(sha("l1"), sha("l2"))), a_run(text="two", lines=(sha("l2"), sha("l3")))
    assert append(tmp_path, one) is not None and append(tmp_path, one) is None
    second = append(tmp_path, two)
    assert second is not None and second.voices[0].lines == [sha("l3")]
    third = append(tmp_path, one)
    assert third is not None and third.voices[0].lines == [] and third.number == 3


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_cut_last_line_is_told_refused_and_repaired_on_request(five: Path, tmp_path: Path, left: int) -> None:
    root = tmp_path / "project"
    shutil.copytree(five, root)
    rows = (root / LEDGER).read_bytes().splitlines(keepends=True)
    broken = b"".join(rows[:4]) + rows[4][:left]
    (root / LEDGER).write_bytes(broken)
    with pytest.raises(LedgerError, match=r"line 5: cut short.*ledger repair"):
        append(root, a_run("out/x.wav", "x"))
    assert verify(root).line == 5 and (root / LEDGER).read_bytes() == broken
    assert "4 lines kept" in repair(root)
    assert (root / LEDGER).read_bytes() == b"".join(rows[:4]) and verify(root).ok
    assert "nothing to repair" in repair(root)


def test_repair_touches_nothing_but_a_cut_last_line(five: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(five, root)
    whole = (root / LEDGER).read_bytes()
    for bad in (whole.replace(b"text", b"tex", 1)[:-9].replace(sha("w").encode(), sha("v").encode(), 1),
                whole.replace(sha("p").encode(), sha("q").encode()),
                b"{}\n" + whole):  # fmt: skip
        (root / LEDGER).write_bytes(bad)
        with pytest.raises(LedgerError):
            repair(root)
        assert (root / LEDGER).read_bytes() == bad


def test_a_full_disk_leaves_the_ledger_as_it_was(five: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "project"
    shutil.copytree(five, root)
    before, write = (root / LEDGER).read_bytes(), os.write
    done: list[int] = []

    def full(handle: int, data: Any) -> int:
        if done:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done.append(write(handle, bytes(data[:100])))
        return done[0]

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.ledger.append.os.write", full)
        with pytest.raises(LedgerError, match="No space left") as caught:
            append(root, a_run("out/x.wav", "x"))
    assert done == [100] and (root / LEDGER).read_bytes() == before
    with pytest.raises(MachineError):  # a schedule lets the script wait instead of refusing it
        report_or_raise(caught.value, "Failed")
    with pytest.raises(MachineError):
        report_or_raise(LedgerError("broken"), "Failed")


CHILD = """
import sys
from pathlib import Path
from pipeline.ledger.append import append
from pipeline.ledger.entry import Run
root, name, count, given = sys.argv[1:]
run = Run.model_validate_json(given)
print("ready", flush=True)
for number in range(int(count)):
    append(Path(root), run.model_copy(update={"place": f"out/{name}-{number}.wav"}))
"""


def child(root: Path, name: str, count: int) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", CHILD, str(root), name, str(count), a_run().model_dump_json()]
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE)


def test_processes_take_turns_and_a_killed_one_leaves_a_whole_or_a_told_line(tmp_path: Path) -> None:
    killed, steady = child(tmp_path, "killed", 100_000), child(tmp_path, "steady", 4)
    assert killed.stdout and killed.stdout.readline() == "ready\n"
    assert steady.wait(120) == 0
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    killed.stdout.close()
    found = verify(tmp_path)
    if not found.ok:
        assert "cut short" in found.problem
        repair(tmp_path)
    places = [entry.place for entry in entries(tmp_path)]
    assert len([place for place in places if "steady" in place]) == 4
    append(tmp_path, a_run("out/after.wav"))
    assert verify(tmp_path).ok


def test_a_narration_is_found_by_book_line_and_label(built: Path) -> None:
    report = narrate(built, ["First line.", "Second line."], formats=("flac", "mp3"))
    assert report.ok
    (entry,) = entries(built)
    files = [file for file in (built / "out/book").rglob("*") if file.is_file() and file.suffix != ".html"]
    listed = {built / output.path: output.sha256 for output in entry.outputs}
    assert all(sha256_file(path) == digest for path, digest in listed.items())
    lines = {file for file in files if file.parent.name == "lines"}
    assert set(files) - set(listed) == lines
    assert sorted(entry.voices[0].lines) == sorted(map(sha256_file, lines)) and entry.lines_count == 2
    assert entry.voices[0].consent_sha256 == sha256_file(built / "data/raw/ann/consent.yaml")
    line = next(file for file in sorted(lines))
    found = find(built, str(line))[0]
    assert (found.how, found.text, found.path) == ("line", "First line.", "out/book")
    book = find(built, str(built / "out/book/book.mp3"))[0]
    assert book.how == "file" and book.labels and find(built, sha256_file(line))[0].number == 1
    assert {each.how for each in find(built, book.labels[0])} == {"label"}
    with pytest.raises(UserError, match="unknown"):
        find(built, "0" * 64)
    with pytest.raises(UserError, match="neither a sha256"):
        find(built, "nothing.wav")


def test_the_same_again_adds_nothing_and_an_edit_adds_its_line_alone(built: Path) -> None:
    texts = ["First line.", "Second line.", "Third line."]
    narrate(built, texts)
    before = (built / LEDGER).read_bytes()
    narrate(built, texts)
    assert (built / LEDGER).read_bytes() == before
    narrate(built, [*texts[:2], "Another third."])
    assert (built / LEDGER).read_bytes().startswith(before)
    assert [len(entry.voices[0].lines) for entry in entries(built)] == [3, 1]
    assert [entry.lines_count for entry in entries(built)] == [3, 3]


def test_a_book_of_ten_thousand_lines_costs_its_hashes_once(tmp_path: Path) -> None:
    lines = tuple(sha(str(number)) for number in range(10_000))
    append(tmp_path, a_run("out/book", "one", lines))
    size = (tmp_path / LEDGER).stat().st_size
    append(tmp_path, a_run("out/book", "two", (*lines[:-1], sha("new"))))
    assert size < 700_000 and (tmp_path / LEDGER).stat().st_size - size < 2000
    assert find(tmp_path, sha("9999"))[0].number == 1


def test_a_stranger_on_disk_is_audited_by_the_ledger(built: Path, tmp_path: Path) -> None:
    narrate(built, ["Only line."], formats=("mp3",))
    wild = tmp_path / "wild.mp3"
    shutil.move(built / "out/book/book.mp3", wild)
    line = tmp_path / "line.flac"
    shutil.move(next((built / "out/book/lines").iterdir()), line)
    shutil.rmtree(built / "out")
    for file in (wild, line):
        found = audit(built, file)
        assert found.fresh and found.narrated and found.narrated.record == f"{LEDGER} line 1", file
        assert {source.voice for source in found.sources} == {"ann"}
    wild.write_bytes(wild.read_bytes()[:-200])  # the tail of the sound is gone, the label is still there
    changed = audit(built, wild)
    assert any("known by its label alone" in text for text in changed.problems)
    assert find(built, str(wild))[0].how == "label"
    stranger = tmp_path / "stranger.wav"
    stranger.write_bytes(b"RIFF nothing")
    with pytest.raises(UserError, match="unknown"):
        audit(built, stranger)


def test_say_writes_a_line_and_fails_in_one_line_when_it_cannot(built: Path) -> None:
    speak(built, "Hello.", "ann", built / "out/a.wav", SayOptions(), load_fake)
    speak(built, "Hello.", "ann", built / "out/a.wav", SayOptions(), load_fake)
    (entry,) = entries(built)
    assert entry.kind == "say" and entry.text_sha256 == sha("Hello.")
    assert {output.path for output in entry.outputs} == {"out/a.wav", "out/a.wav.json"}
    (built / LEDGER).write_bytes((built / LEDGER).read_bytes()[:-5])
    with pytest.raises(UserError, match=r"cut short.*the files are in place"):
        speak(built, "Again.", "ann", built / "out/b.wav", SayOptions(), load_fake)
    with pytest.raises(UserError, match=r"cut short.*the files are in place"):
        narrate(built, ["First line."])
    assert (built / "out/b.wav").is_file() and (built / "out/book/manifest.jsonl").is_file()
    repair(built)
    narrate(built, ["First line."])
    assert [entry.kind for entry in entries(built)] == ["narration"] and verify(built).ok


def test_the_command_line_tells_and_its_status_says_so(built: Path) -> None:
    runner = CliRunner()
    narrate(built, ["First line."])
    told = runner.invoke(app, ["ledger", "verify"])
    assert told.exit_code == 0 and "verified: 1 lines, not in the present commit" in told.stdout
    told = runner.invoke(app, ["ledger", "find", "out/book/book.flac", "--json"])
    (found,) = json.loads(told.stdout)["found"]
    assert found["voices"][0]["voice"] == "ann" and found["record"] == f"{LEDGER} line 1"
    line = entries(built)[0].voices[0].lines[0]
    assert "the line says: First line." in runner.invoke(app, ["ledger", "find", line]).stdout
    text = (built / LEDGER).read_bytes()
    (built / LEDGER).write_bytes(text.replace(b'"ann"', b'"eve"'))
    told = runner.invoke(app, ["ledger", "verify", "--json"])
    assert told.exit_code == 1 and json.loads(told.stdout)["line"] == 1
