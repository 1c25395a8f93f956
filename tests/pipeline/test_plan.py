"""The plan lists what DVC would run, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pipeline_fakes import add_recording

from pipeline.plan import read_plan
from voice.errors import UserError


def dirty(root: Path, **options: list[str]) -> set[str]:
    return {node.address for node in read_plan(root, **options) if node.dirty}


def test_a_built_project_has_nothing_dirty(built: Path) -> None:
    nodes = read_plan(built)
    assert len(nodes) == 6
    assert not any(node.dirty or node.reasons for node in nodes)


def test_a_changed_recording_makes_only_its_voices_chain_dirty(built: Path) -> None:
    add_recording(built, "ann", "something else\n")
    assert dirty(built) == {"ingest@ann", "slice@ann", "train_semantic@ann"}
    changed = [node for node in read_plan(built) if node.changed]
    assert [node.address for node in changed] == ["ingest@ann"]
    assert any("data/raw/ann/recording.flac" in reason for reason in changed[0].reasons)


def test_a_new_voice_adds_only_its_own_stages(built: Path) -> None:
    add_recording(built, "cyd", "third\n")
    params = built / "params.yaml"
    params.write_text(params.read_text().replace("ingest:", "  cyd: {lang: en}\ningest:"))
    assert dirty(built) == {"ingest@cyd", "slice@cyd", "train_semantic@cyd"}


def test_upstream_comes_first_and_meta_is_read(built: Path) -> None:
    nodes = read_plan(built)
    seen: set[str] = set()
    for node in nodes:
        assert set(node.upstream) <= seen
        seen.add(node.address)
    assert {node.address for node in nodes if node.gpu} == {"train_semantic@ann", "train_semantic@bob"}
    assert next(node for node in nodes if node.address == "ingest@ann").desc == "Clean the recording"


def test_targets_and_voices_bring_their_ancestors_only(built: Path) -> None:
    assert [node.address for node in read_plan(built, ["slice@bob"])] == ["ingest@bob", "slice@bob"]
    assert {node.address for node in read_plan(built, ["ingest"])} == {"ingest@ann", "ingest@bob"}
    assert {node.voice for node in read_plan(built, voices=["ann"])} == {"ann"}


@pytest.mark.parametrize(
    ("options", "said"),
    [({"targets": ["nope"]}, "nope: no such stage"), ({"voices": ["nope"]}, "nope: unknown voice")],
)
def test_unknown_names_are_answered_with_the_known_ones(built: Path, options: dict[str, list[str]], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        read_plan(built, **options)
    assert "slice" in caught.value.hint or "ann" in caught.value.hint


def test_a_broken_dvc_yaml_is_one_user_error(built: Path) -> None:
    (built / "dvc.yaml").write_text("stages: [1, 2\n")
    with pytest.raises(UserError, match="DVC cannot read the pipeline"):
        read_plan(built)


def test_plan_and_audit_import_neither_torch_nor_prefect() -> None:
    code = "import sys, pipeline.plan, pipeline.audit; print([x in sys.modules for x in ('torch', 'prefect')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[False, False]"
