"""The tiny project of the end-to-end tests: made once, built once; tests take copies."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import golden
from tests.tiny_project import EVERYTHING, Tiny, make_project

# The suite that guards the main branch asks the same questions every time; `make test-all` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=300, deadline=None, print_blob=True)
settings.load_profile("steady")


def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str, name: str, make: Callable[[Path], object]) -> Tiny:
    """The project that `make` puts into a folder, made by the worker that asks first; the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "tiny"
    shared.mkdir(exist_ok=True)
    root, ready = shared / name, shared / f"{name}.ready"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(root, ignore_errors=True)
            make(root)
            ready.touch()
    return Tiny(root)


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Tiny:
    """Never built; not to be changed."""
    return once(tmp_path_factory, worker_id, "source", make_project)


@pytest.fixture(scope="session")
def tiny_built(tiny_source: Tiny, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Tiny:
    """Built by one `dvc repro`, outputs committed as DVC advises; not to be changed."""

    def build(root: Path) -> None:
        built = tiny_source.copy(root)
        assert built.repro() == EVERYTHING
        built.commit()

    return once(tmp_path_factory, worker_id, "built", build)


@pytest.fixture
def source(tiny_source: Tiny, tmp_path: Path) -> Tiny:
    """A copy of the project that was never built."""
    return tiny_source.copy(tmp_path / "project")


@pytest.fixture
def project(tiny_built: Tiny, tmp_path: Path) -> Tiny:
    """A copy of the built project."""
    return tiny_built.copy(tmp_path / "project")


LOST = pytest.StashKey[bool]()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it checked. A run that lost a worker failed, even if no test was cut off by it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["golden"] = golden.CHECKED
    elif session.config.stash.get(LOST, False):  # xdist ends with status 0 when it happens before the first test
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """The records of a worker join those of this process; one that crashed has none."""
    node.config.stash[LOST] = node.config.stash.get(LOST, False) or bool(error)
    golden.CHECKED.extend(getattr(node, "workeroutput", {}).get("golden", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How near the networks came to the numeric fixtures, whatever the tolerance."""
    if golden.CHECKED:
        worst = max(golden.CHECKED)
        terminalreporter.write_line(f"{len(golden.CHECKED)} golden records, largest relative error {worst:.1e}")
