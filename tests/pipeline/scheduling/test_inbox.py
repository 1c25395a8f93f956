"""One visit to an inbox: each script is narrated exactly once, and everything else has one clear outcome."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inbox_child import narrator

from pipeline.scheduling import inbox as inbox_module
from pipeline.scheduling.claims import DEATHS, abandoned, take
from pipeline.scheduling.inbox import Handled, Inbox, MachineError, settled
from pipeline.scheduling.names import folder_name, is_passing, numbered, plain_name, wrong_name
from pipeline.scheduling.outcome import BusyError, report_or_raise
from voice.errors import UserError


class Box:
    """An inbox with the narrator of inbox_child."""

    def __init__(self, root: Path) -> None:
        self.inbox, self.outbox, self.store = root / "inbox", root / "outbox", root / "store"
        for folder in (self.inbox, self.outbox, self.store):
            folder.mkdir()
        self.narrate = narrator(self.store, 0.0)

    def drop(self, name: str, text: str = "one\ntwo\n") -> Path:
        path = self.inbox / name
        path.write_text(text)
        return path

    def visit(self, **more: Any) -> list[Handled]:
        return list(Inbox(self.inbox, self.outbox, self.narrate, settle=0.01).visit(**more))

    def said(self) -> list[str]:
        log = self.store / "said.log"
        return log.read_text().splitlines() if log.exists() else []

    def left(self) -> list[str]:
        """Files in the inbox, without those put away as failed."""
        paths = (path.relative_to(self.inbox) for path in self.inbox.rglob("*") if not path.is_dir())
        return sorted(str(path) for path in paths if path.parts[0] != "failed")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_three_scripts_are_narrated_once_each_and_put_beside_their_narration(box: Box) -> None:
    for name in ("a.txt", "b.md", "ü c.srt"):
        box.drop(name, f"line of {name}\n")
    assert sorted(each.script for each in box.visit() if each.outcome == "narrated") == ["a.txt", "b.md", "ü c.srt"]
    assert box.visit() == []
    assert sorted(box.said()) == ["line of a.txt", "line of b.md", "line of ü c.srt"]
    assert sorted(path.name for path in (box.outbox / "ü c").iterdir()) == ["ü c.srt", "ü c.wav"]
    assert box.left() == []


def test_a_name_that_is_taken_gets_a_number(box: Box) -> None:
    (box.outbox / "a").mkdir()
    (box.outbox / "a-2").symlink_to(box.store)
    box.drop("a.txt", "first\n")
    box.drop("a.md", "second\n")
    assert {each.output for each in box.visit()} == {str(box.outbox / "a-3"), str(box.outbox / "a-4")}
    box.drop("a.txt", "third\n")
    assert [each.output for each in box.visit()] == [str(box.outbox / "a-5")]
    assert sorted(box.said()) == ["first", "second", "third"]


def test_a_script_that_cannot_be_narrated_goes_away_with_its_reason_in_one_line(box: Box) -> None:
    box.drop("empty.txt", "")
    (box.inbox / "latin.txt").write_bytes(b"caf\xe9\n")
    box.narrate = lambda script, out, say=box.narrate: _decoded(script, out, say)
    found = {each.script: each for each in box.visit()}
    assert {name: each.outcome for name, each in found.items()} == {"empty.txt": "failed", "latin.txt": "failed"}
    failed = box.inbox / "failed"
    assert (failed / "latin.txt").read_bytes() == b"caf\xe9\n"
    reason = (failed / "empty.txt.error.txt").read_text()
    assert reason == "empty.txt: no line to speak (write one sentence or more)\n"
    assert list(box.outbox.iterdir()) == [] and box.left() == []
    box.drop("empty.txt", "")
    box.visit()
    assert (failed / "empty-2.txt").exists() and (failed / "empty-2.txt.error.txt").exists()


def _decoded(script: Path, out: Path, say: Any) -> Any:
    try:
        return say(script, out)
    except UnicodeDecodeError as error:
        raise UserError(f"{script}: not UTF-8 text", "save it as UTF-8") from error


def test_links_devices_and_folders(box: Box, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret\n")
    (box.inbox / "link.txt").symlink_to(secret)
    os.mkfifo(box.inbox / "pipe.txt")
    (box.inbox / "folder.txt").mkdir()
    (box.inbox / "folder.txt/in.txt").write_text("in\n")
    found = {each.script: each.outcome for each in box.visit()}
    assert found == {"link.txt": "refused", "pipe.txt": "refused", "folder.txt": "ignored"}
    assert secret.read_text() == "secret\n" and box.said() == []
    assert (box.inbox / "failed/link.txt").is_symlink()
    assert "symbolic link" in (box.inbox / "failed/link.txt.error.txt").read_text()
    assert (box.inbox / "folder.txt/in.txt").exists()


def test_a_file_exchanged_for_a_link_after_the_look_is_refused(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    script = box.drop("a.txt")
    target = box.store / "secret"
    target.write_text("secret\n")

    def exchange(inbox: Path, seconds: float) -> list[str]:
        script.unlink()
        script.symlink_to(target)
        return ["a.txt"]

    monkeypatch.setattr(inbox_module, "settled", exchange)
    assert [each.outcome for each in box.visit()] == ["refused"]
    assert box.said() == [] and target.read_text() == "secret\n"


def test_an_unreadable_script_is_refused(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.drop("a.txt")
    real = os.open

    def denied(path: Any, flags: int, *more: Any, **named: Any) -> int:  # also where the tests are run by root
        if flags & os.O_NOFOLLOW and str(path).endswith("a.txt") and not flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", denied)
    [found] = box.visit()
    assert (found.outcome, found.note) == ("refused", "a.txt: Permission denied (let its reader have it)")
    assert (box.inbox / "failed/a.txt").exists()


def test_a_name_that_is_not_text_is_refused(box: Box) -> None:
    (box.inbox / os.fsdecode(b"bad\xff.txt")).write_text("one\n")
    (box.inbox / "two\nlines.txt").write_text("one\n")
    found = box.visit()
    assert [each.outcome for each in found] == ["refused", "refused"]
    assert all("\n" not in each.script + each.note for each in found)
    assert box.said() == [] and box.left() == []


@pytest.mark.parametrize("name", [".hidden.txt", "a.txt.part", "a.txt~", "a.crdownload", "A.TMP"])
def test_what_is_still_being_written_is_left_alone(box: Box, name: str) -> None:
    box.drop(name)
    assert box.visit() == [] and box.left() == [name]


def test_a_growing_file_waits(box: Box) -> None:
    script = box.drop("a.txt", "")
    stop = threading.Event()

    def grow() -> None:
        while not stop.is_set():
            with script.open("a") as file:
                file.write("more\n")
            time.sleep(0.005)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert settled(box.inbox, 0.2) == []
    finally:
        stop.set()
        writer.join()
    assert settled(box.inbox, 0.05) == ["a.txt"]


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), MachineError("no space left")])
def test_a_full_disk_keeps_the_script_and_the_next_visit_finishes_it(box: Box, fault: Exception) -> None:
    box.drop("a.txt")
    box.drop("b.txt")
    works = box.narrate

    def full(script: Path, out: Path) -> Any:
        raise fault

    box.narrate = full
    found = box.visit()
    assert [each.outcome for each in found] == ["waits"] and "pace left" in found[0].note
    assert not (box.inbox / "failed").exists()
    box.narrate = works
    assert sorted(each.outcome for each in box.visit()) == ["narrated", "narrated"]
    assert sorted(path.name for path in box.outbox.iterdir()) == ["a", "b"]
    assert box.said() == ["one", "two"] and box.left() == []


def test_a_disk_that_is_full_at_the_claim_loses_nothing(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.drop("a.txt")

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(OSError, match="No space"):
            box.visit()
    assert (box.inbox / "a.txt").exists()
    assert [each.outcome for each in box.visit()] == ["narrated"]


def test_nothing_more_is_taken_once_quiet_hours_began(box: Box) -> None:
    for name in "abc":
        box.drop(f"{name}.txt")
    answers = iter([True, False, False])
    assert len(box.visit(may_start=lambda: next(answers))) == 1
    assert len([name for name in box.left() if "working" not in name]) == 2


def test_a_script_that_ends_its_process_again_and_again_is_given_up(box: Box) -> None:
    box.drop("a.txt")
    claim = take(box.inbox, "a.txt")
    assert claim is not None
    for _ in range(DEATHS):
        claim.begin()
        claim._handle.close()  # as the kernel does for a dead process
        [claim] = abandoned(box.inbox)
    claim._handle.close()
    [found] = box.visit()
    assert found.outcome == "refused" and f"{DEATHS} times" in found.note
    assert box.said() == [] and (box.inbox / "failed/a.txt").exists()


def test_an_orderly_end_is_no_death(box: Box) -> None:
    box.drop("a.txt")
    claim = take(box.inbox, "a.txt")
    assert claim is not None and claim.begin()
    claim.release()
    [again] = abandoned(box.inbox)
    assert again.deaths == 0


# What a folder can hold: any text that UTF-8 has, and any bytes that it has not.
names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=300) | (
    st.binary(min_size=1, max_size=300).filter(lambda raw: not set(raw) & set(b"/\0")).map(os.fsdecode)
)


@given(names)
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    for made in (folder_name(name), numbered(folder_name(name), 7)):
        assert made not in ("", ".", "..") and not made.startswith(".") and "/" not in made and "\0" not in made
    shown = plain_name(name)
    assert len(shown.splitlines()) <= 1
    shown.encode()
    if wrong_name(name) is None and not is_passing(name):
        assert len(os.fsencode(f"{numbered(name, 99999)}.error.txt")) <= 255


@pytest.mark.parametrize("name", ["...txt", "..", "a/../../b.txt", "\0.txt", " .. .txt"])
def test_names_that_try(name: str) -> None:
    made = folder_name(name)
    assert made not in ("", ".", "..") and "/" not in made and not made.startswith(".")


def _caused(cause: Exception) -> UserError:
    error = UserError("out: cannot be written")
    error.__cause__ = cause
    return error


def test_who_is_to_blame() -> None:
    for fault in (OSError(errno.ENOSPC, "full"), _caused(OSError(errno.ENOSPC, "full")), MemoryError()):
        with pytest.raises(MachineError):
            report_or_raise(fault, "Failed")
    for fault in (UserError("empty"), RuntimeError("x"), OSError(errno.ENAMETOOLONG, "long"), _caused(ValueError("x"))):
        with pytest.raises(UserError):
            report_or_raise(fault, "Failed")
    with pytest.raises(BusyError):
        report_or_raise(_caused(BlockingIOError()), "Failed")
    with pytest.raises(KeyboardInterrupt):
        report_or_raise(KeyboardInterrupt(), "Crashed")
    with pytest.raises(MachineError, match="the run ended Crashed"):
        report_or_raise(None, "Crashed")
