"""A built voice travels through a DVC remote (here a folder), with the run cache, into another clone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tiny_project import VOICES, Tiny, chain


@pytest.fixture
def clone(tiny_built: Tiny, tmp_path: Path) -> Tiny:
    """A fresh Git clone of the built project, whose outputs were pushed to a folder."""
    sender = tiny_built.copy(tmp_path / "sender")
    sender.dvc("remote", "add", "-d", "shelf", str(tmp_path / "shelf"))
    sender.commit()
    pushed = sender.dvc("push", "--run-cache").stdout
    assert "pushed" in pushed
    assert sender.dvc("status", "--cloud").stdout.strip() == "Cache and remote 'shelf' are in sync."
    sender.run("git", "clone", "-q", ".", str(tmp_path / "clone"))
    shutil.rmtree(sender.root)  # only the shelf is left to pull from
    return Tiny(tmp_path / "clone")


def present(project: Tiny) -> set[str]:
    return {name for name in project.outputs() if (project.root / name).exists()}


def test_a_clone_pulls_every_output_and_repro_runs_nothing(clone: Tiny) -> None:
    assert present(clone) == {f"models/{voice}/metrics.json" for voice in VOICES}  # what Git itself carries
    clone.dvc("pull")
    assert present(clone) == set(clone.outputs())
    assert clone.repro() == set()
    assert clone.run("git", "status", "--porcelain").stdout == ""


def test_the_shared_run_cache_spares_the_costly_runs_even_without_the_lock_file(clone: Tiny) -> None:
    # All but `evaluate`: DVC pushes no output of `cache: false`, and metrics.json travels in Git.
    costly = sorted(chain("demo_en") - {"evaluate@demo_en"})
    before = clone.lock()["stages"]
    clone.dvc("fetch", "--run-cache")
    (clone.root / "dvc.lock").unlink()
    assert clone.repro(*costly) == set()
    assert clone.lock()["stages"] == {name: before[name] for name in ("pretrained", *costly)}
    assert all((clone.root / name).exists() for name in clone.outputs())
