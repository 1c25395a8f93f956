"""The server of one run by hand: up when it is waited for, gone with its process, and never started for nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.run_server import start_ahead
from pipeline.server import healthy

RUN = """
import os, sys, time
from pathlib import Path
from pipeline.run_server import start_ahead
start_ahead(Path.cwd())()
print(os.environ["PREFECT_API_URL"], flush=True)
if sys.argv[1] == "wait":
    time.sleep(60)
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return kept | {"PREFECT_HOME": str(tmp_path / ".prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}


def started(env: dict[str, str], folder: Path, how: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", RUN, how], env=env, cwd=folder, stdout=subprocess.PIPE, text=True)


def gone(url: str) -> bool:
    """Whether the server stops answering within some seconds."""
    deadline = time.monotonic() + 20
    while healthy(url) and time.monotonic() < deadline:
        time.sleep(0.2)
    return not healthy(url)


@pytest.mark.parametrize("end", [None, signal.SIGTERM, signal.SIGKILL])
def test_it_answers_and_ends_with_its_process(end: signal.Signals | None, env: dict[str, str], tmp_path: Path) -> None:
    with started(env, tmp_path, "wait" if end else "end") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        if end is not None:
            assert healthy(url)
            process.send_signal(end)
    assert process.returncode == (-end if end else 0)
    assert gone(url)


def test_one_that_cannot_start_is_told_in_one_line(env: dict[str, str], tmp_path: Path) -> None:
    env["PREFECT_API_DATABASE_CONNECTION_URL"] = f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/prefect.db"
    found = subprocess.run(
        [sys.executable, "-c", RUN, "end"], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.returncode != 0 and not found.stdout
    assert "the Prefect server of this run did not start" in found.stderr.splitlines()[-1]
    assert "run-server.log" in found.stderr.splitlines()[-1] and (tmp_path / ".prefect/run-server.log").exists()


def test_nothing_is_started_where_there_is_a_server_or_prefect_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a server was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setitem(sys.modules, "prefect", sys)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    start_ahead(tmp_path)()
    monkeypatch.delitem(sys.modules, "prefect")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    start_ahead(tmp_path)()
    monkeypatch.delenv("PREFECT_API_URL")
    with pytest.raises(AssertionError):
        start_ahead(tmp_path)
