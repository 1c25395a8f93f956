"""The audit names what made an output, and notices every byte that is no longer the same."""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from pipeline_fakes import dvc, load_fake, run

from pipeline.audit import audit
from pipeline.audit.chain import read_chain
from pipeline.engine import SayOptions
from pipeline.narration import run_narration
from voice.errors import UserError


def test_a_built_voice_is_fresh_and_the_whole_chain_is_named(built: Path) -> None:
    found = audit(built, Path("models/ann"))
    assert found.verdict == "fresh"
    assert [step.stage for step in found.steps] == ["ingest@ann", "slice@ann", "train_semantic@ann"]
    assert found.steps[0].params[0].name == "ingest"
    assert found.steps[0].params[0].recorded == {"level": 3}
    recording = built / "data/raw/ann/recording.flac"
    source = found.sources[0]
    assert (source.voice, source.basis) == ("ann", "synthetic")
    assert source.recordings[0].sha256 == sha256(recording.read_bytes()).hexdigest()
    kinds = {dep.path: dep.kind for step in found.steps for dep in step.deps}
    assert kinds == {
        "stages/tool.py": "code",
        "data/raw/ann/recording.flac": "raw",
        "data/raw/ann/consent.yaml": "raw",
        "data/ann/clean.txt": "made",
        "data/ann/first.txt": "made",
    }
    json.dumps(found.to_dict())


def test_one_changed_byte_in_the_recording_makes_the_voice_stale(built: Path) -> None:
    recording = built / "data/raw/ann/recording.flac"
    state = recording.stat()
    data = bytearray(recording.read_bytes())
    data[3] ^= 1
    recording.write_bytes(bytes(data))
    os.utime(recording, ns=(state.st_atime_ns, state.st_mtime_ns))  # size and time alone would not tell
    found = audit(built, Path("models/ann"))
    assert found.verdict == "stale: data/raw/ann/recording.flac changed"
    assert found.to_dict()["fresh"] is False
    assert audit(built, Path("models/bob")).fresh


def replace(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text()
    assert old in text
    (root / name).chmod(0o644)
    (root / name).write_text(text.replace(old, new))


CHANGES: dict[str, tuple[str, str, str | None]] = {
    # what the audit says: (file, old text, new text; None deletes the file)
    "params ingest changed": ("params.yaml", "level: 3", "level: 4"),
    "stages/tool.py changed": ("stages/tool.py", "import hashlib", "import  hashlib"),
    "slice@ann command changed": ("dvc.yaml", "python stages/tool.py cut", "python -I stages/tool.py cut"),
    "models/ann/semantic.txt changed": ("models/ann/semantic.txt", "a", "b"),
    "data/ann/clean.txt missing": ("data/ann/clean.txt", "", None),
    "data/raw/ann/consent.yaml missing": ("data/raw/ann/consent.yaml", "", None),
    "ingest@ann was never built": ("dvc.lock", "", None),
}


@pytest.mark.parametrize("said", CHANGES)
def test_every_kind_of_change_is_named(built: Path, said: str) -> None:
    name, old, new = CHANGES[said]
    if new is None:
        (built / name).unlink()
    else:
        replace(built, name, old, new)
    found = audit(built, Path("models/ann"))
    assert not found.fresh
    assert any(said in problem for problem in found.problems), found.problems


def test_a_single_output_file_and_an_intermediate_folder_can_be_asked_for(built: Path) -> None:
    assert [step.stage for step in audit(built, Path("data/ann/first.txt")).steps] == [
        "ingest@ann",
        "slice@ann",
    ]
    assert len(audit(built, Path("data/ann")).steps) == 2


def test_a_voice_taken_out_of_the_pipeline_is_unknown_though_the_lock_remembers_it(built: Path) -> None:
    params = built / "params.yaml"
    params.write_text(params.read_text().replace("  bob: {lang: en}\n", ""))
    assert "bob" in (built / "dvc.lock").read_text()
    with pytest.raises(UserError, match="models/bob: no stage makes it"):
        audit(built, Path("models/bob"))


def test_inputs_and_strangers_are_answered_with_a_hint(built: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="an input") as caught:
        audit(built, Path("data/raw/ann/recording.flac"))
    assert "ingest@ann" in caught.value.hint
    with pytest.raises(UserError, match="not inside the project"):
        audit(built, tmp_path / "elsewhere.wav")
    with pytest.raises(UserError, match="no stage makes it"):
        audit(built, Path("README.md"))


def test_a_folder_dependency_has_the_hash_that_dvc_gives_it(built: Path) -> None:
    replace(built, "dvc.yaml", "- data/raw/${key}/recording.flac\n", "- data/raw/${key}\n")
    replace(built, "dvc.yaml", "      - data/raw/${key}/consent.yaml\n", "")
    (built / "data/raw/ann/more").mkdir()
    (built / "data/raw/ann/more/b.txt").write_text("ü")
    dvc(built, "repro", "-q", "-s", "ingest@ann")
    link = next(dep for dep in read_chain(built, "data/ann/clean.txt")[0].deps if dep.path == "data/raw/ann")
    assert link.recorded is not None
    assert link.recorded.endswith(".dir")
    assert link.state == "ok"


def test_a_changed_recording_is_named_though_only_its_folder_is_a_dependency(built: Path) -> None:
    replace(built, "dvc.yaml", "- data/raw/${key}/recording.flac\n", "- data/raw/${key}\n")
    replace(built, "dvc.yaml", "      - data/raw/${key}/consent.yaml\n", "")
    dvc(built, "repro", "-q")
    recording = built / "data/raw/ann/recording.flac"
    (built / "data/raw/ann/transcript.txt").write_text("new")
    found = audit(built, Path("models/ann"))
    assert found.problems[0].startswith("data/raw/ann changed (its transcript or consent record")
    recording.write_text("other")
    assert audit(built, Path("models/ann")).verdict == "stale: data/raw/ann/recording.flac changed"


def test_a_narrated_line_leads_back_to_the_voices_recording(built: Path) -> None:
    (built / "book.txt").write_text("One line.\nAnother line.\n")
    run_narration(built, built / "book.txt", "ann", built / "out", SayOptions(), load_fake)
    for path in (Path("out"), Path("out/book.flac"), next((built / "out/lines").glob("0001*"))):
        found = audit(built, path)
        assert found.fresh, found.problems
        assert found.narrated is not None
        assert found.sources[0].recordings[0].path == "data/raw/ann/recording.flac"
    line = next((built / "out/lines").glob("0002*"))
    line.write_bytes(line.read_bytes() + b"x")
    assert audit(built, line).verdict == f"stale: out/lines/{line.name} changed"


def test_the_audit_command_ends_with_1_on_a_stale_voice_and_prints_the_hash(built: Path) -> None:
    recording = built / "data/raw/ann/recording.flac"
    recording.write_text("other")
    command = [sys.executable, "-m", "pipeline.cli", "audit", "models/ann"]
    done = run(built, *command, check=False)
    assert done.returncode == 1
    assert sha256(b"other").hexdigest() in done.stdout
    assert "stale: data/raw/ann/recording.flac changed" in done.stdout
