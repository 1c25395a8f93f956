"""Revoking in a real DVC project: what is derived, what is removed, kills on the way, and the voices that stay."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import soundfile
from pipeline_fakes import run
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.revocation import act, delete_derived, mark_revoked
from pipeline.revocation.cache import Cache
from voice.consent import read_consent, write_consent
from voice.consent.revoked import FILE, read_revoked
from voice.errors import UserError
from voice.files import sha256_file

HERE = Path(__file__).resolve()


def reprovoice(*arguments: str, status: int = 0) -> Any:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == status, done.output
    return json.loads(done.stdout) if "--json" in arguments else done


def name_of(root: Path, voice: str) -> str:
    return read_consent(root / "data/raw" / voice).id


def narrate(root: Path, name: str, voice: str) -> Path:
    (root / f"{name}.txt").write_text(f"A line by {voice}.\nAnother one.\n")
    reprovoice("narrate", f"{name}.txt", "--voice", voice, "--direct", "--engine", "pipeline_fakes:load_fake")
    return root / "out" / name


def cached(root: Path, voice: str) -> list[str]:
    """Outputs of a voice that the cache can give back: by DVC's own checkout of removed files."""
    for kind in ("data", "models"):
        for path in (root / kind / voice).glob("*.txt"):
            path.unlink()
    run(root, sys.executable, "-m", "dvc", "checkout", "-q", check=False)
    return sorted(path.name for kind in ("data", "models") for path in (root / kind / voice).glob("*.txt"))


def status(root: Path) -> dict[str, Any]:
    return dict(json.loads(run(root, sys.executable, "-m", "dvc", "status", "--json").stdout))


def test_everything_derived_is_listed_and_removed_and_the_other_voice_is_untouched(built: Path) -> None:
    ann, bob = narrate(built, "by_ann", "ann"), narrate(built, "by_bob", "bob")
    recording = sha256_file(built / "data/raw/ann/recording.flac")
    name = name_of(built, "ann")
    done = reprovoice("consent", "revoke", name, "--reason", "she  asked\nfor it", "--json")
    assert done["voices"] == ["ann"] and done["recordings"] == [recording] and done["removed"] is None
    [stone] = read_revoked(built)
    assert (stone.id, stone.reason, list(stone.files)) == (name, "she asked for it", done["files"])
    listed = set(done["files"])
    assert {"data/ann/clean.txt", "data/ann/first.txt", "models/ann/semantic.txt"} <= listed
    spoken = {path.relative_to(built).as_posix() for path in ann.rglob("*.flac*")}
    assert len(spoken) == 4 and spoken <= listed  # the book with its sidecar, two lines
    assert sum(entry.startswith(".cache/items/narrate/") for entry in listed) == 4
    assert not any("bob" in entry for entry in listed) and (built / "models/ann/semantic.txt").exists()

    again = reprovoice("consent", "revoke", name, "--delete", "--yes", "--json")
    assert again["reason"] == "she asked for it" and len(read_revoked(built)) == 1
    assert again["removed"]["objects"] == len(again["objects"]) == 3
    assert not [entry for entry in listed if (built / entry).exists()]
    assert (built / "data/raw/ann/recording.flac").exists()  # the source is its owner's to remove; a note says so
    assert cached(built, "ann") == [] and cached(built, "bob") == ["clean.txt", "first.txt", "semantic.txt"]
    assert {address.partition("@")[2] for address in status(built)} == {"ann"}
    assert len(list(bob.rglob("*.flac"))) == 3
    assert reprovoice("consent", "revoke", name, "--delete", "--yes", "--json")["removed"]["files"] == 0


def test_a_shared_recording_blocks_both_voices_and_a_shared_object_is_kept(built: Path) -> None:
    """bob is made of ann's recording too, and a third voice has an output with the very bytes of one of ann's."""
    run(built, sys.executable, "-m", "dvc", "repro", "-q")
    shared = (built / "data/raw/ann/recording.flac").read_bytes()
    (built / "data/raw/bob/more.flac").write_bytes(shared)
    write_consent(built / "data/raw/bob", basis="synthetic", scope="tests", id="of-bob")
    twin = built / "data/raw/cid"
    twin.mkdir()
    (twin / "recording.flac").write_text("this is ann\nand another end\n")  # `cut` gives the same first line
    write_consent(twin, basis="synthetic", scope="tests", id="of-cid")
    params = built / "params.yaml"
    params.write_text(params.read_text().replace("voices:\n", "voices:\n  cid: {lang: en}\n"))
    run(built, sys.executable, "-m", "dvc", "repro", "-q")
    done = reprovoice("consent", "revoke", name_of(built, "ann"), "--delete", "--yes", "--json")
    assert done["voices"] == ["ann", "bob"]
    assert set(done["kept"].values()) <= {"slice@cid", "train_semantic@cid"} and done["kept"]
    assert cached(built, "cid") == ["clean.txt", "first.txt", "semantic.txt"] and cached(built, "bob") == []
    assert {address.partition("@")[2] for address in status(built)} == {"ann", "bob"}


def test_past_versions_are_found_in_git_and_in_the_run_cache(built: Path) -> None:
    run(built, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "one", check=False)
    run(built, "git", "add", "dvc.lock")
    run(built, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "lock")
    before = set(Cache(built).of(["ann"]).objects)
    (built / "data/raw/ann/recording.flac").write_text("now something else\n")
    write_consent(built / "data/raw/ann", basis="synthetic", scope="tests", id="of-ann")
    run(built, sys.executable, "-m", "dvc", "repro", "-q")
    after = Cache(built).of(["ann"])
    assert before < set(after.objects) and len(after.objects) == 6 and len(after.runs) == 6
    for path in after.runs:
        path.unlink()
    assert set(Cache(built).of(["ann"]).objects) == set(after.objects)  # Git's history alone


def test_weights_that_the_cache_can_give_back_are_named_by_the_tombstone(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act, "SPEAKS", ("semantic.txt",))  # the weights of this small project
    old = sha256_file(built / "models/ann/semantic.txt")
    (built / "models/ann/semantic.txt").unlink()
    mark_revoked(built, name_of(built, "ann"))
    assert read_revoked(built)[0].weights == (old,)


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.revocation import delete_derived, mark_revoked
left = int(sys.argv[2])
unlink = Path.unlink
def counted(self, *given, **more):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    unlink(self, *given, **more)
found = mark_revoked(Path("."), sys.argv[1])
Path.unlink = counted
delete_derived(Path("."), found)
"""


@pytest.mark.parametrize("after", [0, 4])
def test_a_kill_leaves_the_tombstone_and_the_next_call_goes_on(built: Path, after: int) -> None:
    name = name_of(built, "ann")
    env = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    done = subprocess.run([sys.executable, "-c", KILLED, name, str(after)], cwd=built, env=env, check=False)
    assert done.returncode == -signal.SIGKILL
    [stone] = read_revoked(built)
    assert stone.id == name
    found = mark_revoked(built, name)
    removed = delete_derived(built, found)
    assert removed["files"] + removed["objects"] == 6 - after
    assert read_revoked(built) == (stone,) and Cache(built).of(["ann"]).objects == {}


def test_without_a_yes_nothing_is_removed_but_the_consent_is_revoked(built: Path) -> None:
    done = CliRunner().invoke(app, ["consent", "revoke", name_of(built, "ann"), "--delete"], input="n\n")
    assert isinstance(done.exception, UserError) and "nothing was removed" in str(done.exception)
    assert len(read_revoked(built)) == 1 and (built / "models/ann/semantic.txt").exists()


def test_an_unknown_id_and_damaged_tombstones_change_nothing(built: Path) -> None:
    with pytest.raises(UserError, match=r"nobody: no consent has this id \(there are: c-"):
        mark_revoked(built, "nobody")
    assert not (built / FILE).exists()
    (built / FILE).parent.mkdir()
    (built / FILE).write_text('{"id": "cut sh')
    with pytest.raises(UserError, match="restore it"):
        mark_revoked(built, name_of(built, "ann"))
    assert (built / FILE).read_text() == '{"id": "cut sh'


def test_a_disk_that_refuses_is_told_and_the_next_call_goes_on(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = name_of(built, "ann")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "a file")

    with monkeypatch.context() as patch:
        patch.setattr("voice.tables.write_text", full)
        with pytest.raises(UserError, match="No space left on device .nothing was revoked"):
            mark_revoked(built, name)
    assert read_revoked(built) == ()
    found = mark_revoked(built, name)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", full)
        with pytest.raises(UserError, match="a file: No space .*revoked, but not all is removed"):
            delete_derived(built, found)
    assert delete_derived(built, mark_revoked(built, name))["files"] == 3


def test_a_broken_record_of_another_voice_does_not_stop_a_revocation(built: Path) -> None:
    (built / "data/raw/bob/consent.yaml").write_text("basis: [")
    found = mark_revoked(built, name_of(built, "ann"))
    assert found.voices == ("ann",) and any("bob/consent.yaml" in note for note in found.notes)


def test_links_are_removed_and_never_followed(built: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "lines").mkdir(parents=True)
    for name in ("a.flac", "lines/b.flac"):
        soundfile.write(outside / name, [0.0], 8000)
    (built / "data/ann/link").symlink_to(outside)
    (built / "out/x").mkdir(parents=True)
    (built / "out/x/lines").symlink_to(outside / "lines")
    rows = [
        {"voice": "ann", "file": file} for file in ("lines/b.flac", "../../../outside/a.flac", str(outside / "a.flac"))
    ]
    (built / "out/x/manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = mark_revoked(built, name_of(built, "ann"))
    delete_derived(built, found)
    assert not (built / "data/ann/link").is_symlink()
    assert (outside / "a.flac").exists() and (outside / "lines/b.flac").exists()
