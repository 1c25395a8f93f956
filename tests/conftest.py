"""The tiny project of the end-to-end tests: made once, built once; tests take copies."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests import golden
from tests.tiny_project import EVERYTHING, Tiny, make_project

# The suite that guards the main branch asks the same questions every time; `make test-all` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=300, deadline=None, print_blob=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Never built; not to be changed."""
    return make_project(tmp_path_factory.mktemp("tiny") / "source")


@pytest.fixture(scope="session")
def tiny_built(tiny_source: Tiny) -> Tiny:
    """Built by one `dvc repro`, outputs committed as DVC advises; not to be changed."""
    built = tiny_source.copy(tiny_source.root.parent / "built")
    assert built.repro() == EVERYTHING
    built.commit()
    return built


@pytest.fixture
def source(tiny_source: Tiny, tmp_path: Path) -> Tiny:
    """A copy of the project that was never built."""
    return tiny_source.copy(tmp_path / "project")


@pytest.fixture
def project(tiny_built: Tiny, tmp_path: Path) -> Tiny:
    """A copy of the built project."""
    return tiny_built.copy(tmp_path / "project")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How near the networks came to the numeric fixtures, whatever the tolerance."""
    if golden.CHECKED:
        worst = max(golden.CHECKED)
        terminalreporter.write_line(f"{len(golden.CHECKED)} golden records, largest relative error {worst:.1e}")
