"""One Prefect home and one test server for the session; a tiny built project to copy."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before anything imports Prefect: subprocesses share this home, so its database is migrated once.
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="reprovoice-prefect-")

import pytest
from pipeline_fakes import dvc, make_project, ran


@pytest.fixture(scope="session", autouse=True)
def prefect_home() -> Iterator[Path]:
    """Removed when the session ends."""
    home = Path(os.environ["PREFECT_HOME"])
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A server for the tests that run flows in this process."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=90):
        yield


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project built by `dvc repro`; tests take copies."""
    root = make_project(tmp_path_factory.mktemp("built") / "project")
    dvc(root, "repro", "-q")
    ran(root)
    return root


@pytest.fixture
def built(built_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the built project, as the current folder."""
    root = tmp_path / "project"
    shutil.copytree(built_once, root, symlinks=True)
    monkeypatch.chdir(root)
    return root
