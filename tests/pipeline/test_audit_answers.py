"""A defined answer to every odd question: shared and deleted recordings, old versions, strangers, no Git, no cache."""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from pipeline_fakes import add_recording, dvc, load_fake, run
from typer.testing import CliRunner

from pipeline.audit import audit, hashes
from pipeline.audit.forward import forward
from pipeline.audit.reproduce import reproduce
from pipeline.audit.verify import verify
from pipeline.cli import app
from pipeline.engine import SayOptions
from pipeline.narration import run_narration
from voice.consent import write_consent
from voice.errors import UserError


def commit(root: Path, message: str = "state") -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests")
    run(root, "git", "add", "-A")
    run(root, "git", *who, "commit", "-q", "--allow-empty", "-m", message)
    return run(root, "git", "rev-parse", "HEAD").stdout.strip()


def tree(root: Path) -> dict[str, str]:
    """Every file of the workspace and DVC's cache, without what the audit keeps for itself."""
    skipped = (root / ".git", root / ".cache", root / ".dvc/tmp")
    files = [path for path in root.rglob("*") if path.is_file() and not any(map(path.is_relative_to, skipped))]
    return {str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest() for path in files}


def share_recording(root: Path) -> None:
    shutil.copy(root / "data/raw/ann/recording.flac", root / "data/raw/bob/recording.flac")
    write_consent(root / "data/raw/bob", basis="synthetic", scope="tests")


def test_a_recording_leads_to_its_own_voice_and_a_shared_one_to_both(built: Path) -> None:
    alone = forward(built, "data/raw/ann/recording.flac")
    assert alone.voices == ("ann",)
    assert [item.path for item in alone.made] == ["data/ann/clean.txt", "data/ann/first.txt", "models/ann/semantic.txt"]
    assert all(item.there for item in alone.made)
    share_recording(built)
    both = forward(built, "data/raw/ann/recording.flac")
    assert both.voices == ("ann", "bob")
    assert {origin.path for origin in both.origins} == {"data/raw/ann/recording.flac", "data/raw/bob/recording.flac"}


def test_a_deleted_recording_is_recorded_but_missing_and_still_leads_on(built: Path) -> None:
    (built / "data/raw/ann/recording.flac").unlink()
    found = forward(built, "data/raw/ann/recording.flac")
    assert found.origins[0].missing and found.origins[0].key == sha256(b"this is ann\nsecond line\n").hexdigest()
    assert "models/ann/semantic.txt" in {item.path for item in found.made}
    assert "data/raw/ann/recording.flac missing" in audit(built, Path("models/ann")).problems
    with pytest.raises(UserError, match="no such file, and no record"):
        forward(built, "data/raw/ann/other.flac")


def test_past_versions_are_found_in_git_with_what_the_cache_still_has(built: Path) -> None:
    first = commit(built)
    lock = (built / "dvc.lock").read_text()
    old = add_recording(built, "ann", "another recording\nsecond line\n").read_bytes()
    dvc(built, "repro", "-q")
    second = commit(built)
    (built / "data/raw/ann/recording.flac").write_text("a third\n")
    write_consent(built / "data/raw/ann", basis="synthetic", scope="tests")
    dvc(built, "repro", "-q")
    (built / "again.flac").write_bytes(old)
    (built / "data/raw/ann/recording.flac").write_bytes(old)
    found = forward(built, "data/raw/ann/recording.flac")
    assert [(past.commit, past.voices) for past in found.past] == [(second, ("ann",))]
    assert all(file.cached for file in found.past[0].files) and len(found.past[0].files) == 3
    record = run(built, "git", "show", f"{first}:data/raw/ann/consent.yaml").stdout
    consent = sha256(record.encode()).hexdigest()
    found = forward(built, consent=consent)
    assert found.origins == () and [past.commit for past in found.past] == [first]
    md5 = lock[lock.index("outs:\n    - path: data/ann/clean.txt") :].split("md5: ")[1].splitlines()[0]
    (built / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()
    found = forward(built, consent=consent)
    assert {file.path: file.cached for file in found.past[0].files}["data/ann/clean.txt"] is False
    with pytest.raises(UserError, match="no record, version or narration here has it"):
        forward(built, consent="0" * 64)


def test_a_narration_is_found_forward_and_a_renamed_copy_of_it_backward(built: Path) -> None:
    (built / "book.txt").write_text("One line.\nAnother line.\n")
    run_narration(built, built / "book.txt", "ann", built / "out/deep", SayOptions(), load_fake)
    found = forward(built, "data/raw/ann/recording.flac")
    names = {sound.path for sound in found.sounds}
    assert "out/deep/book.flac" in names and len([name for name in names if "/lines/" in name]) == 2
    assert forward(built, "data/raw/bob/recording.flac").sounds == ()
    line = next((built / "out/deep/lines").glob("0002*"))
    copy = built / "found.flac"
    shutil.copy(line, copy)
    told = audit(built, copy).narrated
    assert told is not None and told.copy_of == f"out/deep/lines/{line.name}" and told.voices == ("ann",)
    copy.write_bytes(line.read_bytes() + b"x")
    with pytest.raises(UserError, match="found.flac: unknown: no stage makes it .* nor its sha256 [0-9a-f]{64}"):
        audit(built, copy)
    write_consent(built / "data/raw/ann", basis="synthetic", scope="something else")
    assert "spoken under another consent record than ann has now" in audit(built, line).problems


def test_all_voices_of_a_cast_are_followed(built: Path) -> None:
    script = built / "book.jsonl"
    script.write_text('{"text": "One.", "voice": "ann"}\n{"text": "Two.", "voice": "bob"}\n')
    run_narration(built, script, "ann", built / "out", SayOptions(), load_fake)
    found = audit(built, Path("out"))
    assert found.narrated is not None and found.narrated.voices == ("ann", "bob")
    assert [source.voice for source in found.sources] == ["ann", "bob"] and found.fresh, found.problems
    (built / "data/raw/bob/recording.flac").write_text("other")
    assert audit(built, Path("out/book.flac")).verdict == "stale: data/raw/bob/recording.flac changed"
    line = next((built / "out/lines").glob("0001*"))
    assert audit(built, line).fresh  # bob has no part in it


def test_what_a_lost_version_spoke_is_said_to_be_unknown(built: Path) -> None:
    commit(built)
    (built / "models/ann/semantic.safetensors").write_text("present weights")
    (built / "said.wav").write_text("sound")
    facts = {"voice": "ann", "text": "hi", "sha256": sha256(b"sound").hexdigest(), "weights": {"semantic": "a" * 64}}
    (built / "said.wav.json").write_text(json.dumps(facts))
    problems = audit(built, Path("said.wav")).problems
    assert "models/ann/semantic.safetensors is not what spoke this" in problems
    assert any("no version known to Git and the cache has" in text for text in problems)


def test_without_git_all_is_answered_but_what_git_alone_knows(built: Path) -> None:
    shutil.rmtree(built / ".git")
    found = audit(built, Path("models/ann"))
    assert found.fresh and found.environment.commit is None
    assert "not a Git repository: no commit to name" in found.environment.notes
    told = forward(built, "data/raw/ann/recording.flac")
    assert told.past == () and "not a Git repository: past versions are not known" in told.notes
    assert verify(built).ok


def test_a_dirty_tree_is_named_by_its_files_and_one_hash(built: Path) -> None:
    head = commit(built)
    clean = audit(built, Path("models/ann")).environment
    assert (clean.commit, clean.recorded_in, clean.dirty_sha256) == (head, head, None)
    (built / "note.txt").write_text("1")
    one = audit(built, Path("models/ann")).environment
    (built / "note.txt").write_text("2")
    two = audit(built, Path("models/ann")).environment
    assert one.dirty == two.dirty == ("note.txt",) and one.dirty_sha256 != two.dirty_sha256


def test_a_lost_cache_breaks_nothing_but_is_told(built: Path) -> None:
    commit(built)
    shutil.rmtree(built / ".dvc/cache")
    found = verify(built)
    assert found.ok and found.notes == ("6 file(s) are recorded but missing in the cache",)


def test_a_moved_checkout_is_as_fresh_as_it_was(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit(built, Path("models/ann")).fresh
    moved = built.rename(built.parent / "elsewhere")
    monkeypatch.chdir(moved)
    assert audit(moved, Path("models/ann")).fresh and verify(moved).ok


def test_a_file_is_read_again_only_when_touched_and_a_put_back_time_hides_nothing(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "SETTLED", -1.0)
    assert audit(built, Path("models/ann")).read > 0
    again = audit(built, Path("models/ann"))
    assert (again.read, again.fresh) == (0, True)
    path = built / "models/ann/semantic.txt"
    data, state = path.read_bytes(), path.stat()
    path.chmod(0o644)
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert audit(built, Path("models/ann")).verdict == "stale: models/ann/semantic.txt changed"
    (built / hashes.STORE).write_text("{broken")
    assert not audit(built, Path("models/ann")).fresh


def test_a_stage_run_again_gives_the_same_and_leaves_the_workspace_alone(built: Path) -> None:
    before = tree(built)
    found = reproduce(built, "slice@ann")
    assert found.ok and [(file.path, file.state) for file in found.files] == [("data/ann/first.txt", "same")]
    (built / "data/ann/clean.txt").unlink()  # its input now comes out of the cache
    assert reproduce(built, "slice@ann").ok
    del before["data/ann/clean.txt"]
    assert tree(built) == before
    shutil.rmtree(built / ".dvc/cache")
    with pytest.raises(UserError, match="data/ann/clean.txt is recorded but missing, also in the cache"):
        reproduce(built, "slice@ann")
    with pytest.raises(UserError, match="which of slice@"):
        reproduce(built, "slice")


def test_a_stage_that_gives_something_else_each_time_is_not_reproduced(built: Path) -> None:
    tool = built / "stages/tool.py"
    text = tool.read_text().replace("out.write_bytes(data.splitlines()[0])", "out.write_text(str(time.time_ns()))")
    tool.write_text(text)
    dvc(built, "repro", "-q", "-s", "slice@ann")
    found = reproduce(built, "slice@ann")
    assert not found.ok and found.files[0].state == "differs"


def test_the_command_takes_one_question_and_a_recording_asks_forward(built: Path) -> None:
    def ask(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["audit", *words])
        return done.exit_code, str(done.exception) if isinstance(done.exception, UserError) else done.output

    status, said = ask("data/raw/ann/recording.flac", "--json")
    assert status == 0 and json.loads(said)["voices"] == ["ann"]
    status, said = ask("data/raw/ann/recording.flac")
    assert status == 0 and "3 of 3 output(s) present" in said and "models/ann/semantic.txt" in said
    assert ask("--verify")[0] == 0
    assert "one question at a time" in ask("--verify", "--forward", "x")[1]
    assert "needs a path" in ask()[1]
    assert "takes no path" in ask("models/ann", "--reproduce", "slice@ann")[1]
    assert "sections: ingest" in ask("--forward", "params.yaml:nothing")[1]
    status, said = ask("--forward", "params.yaml:ingest", "--json")
    assert status == 0 and json.loads(said)["voices"] == ["ann", "bob"]
    (built / "models/ann/semantic.txt").unlink()
    status, said = ask("--verify", "models/ann")
    assert status == 1 and "broken at models/ann/semantic.txt missing" in said
