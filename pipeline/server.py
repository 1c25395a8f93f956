"""A Prefect server of our own on the loopback address: schedules need one that outlives a single run."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from voice.errors import UserError
from voice.files import write_json

HOST, PORT = "127.0.0.1", 4200
START_SECONDS = 120.0


@contextlib.contextmanager
def local_server(root: Path) -> Iterator[str]:
    """Run a server for the block and yield its API address; with PREFECT_API_URL set, use that one instead.

    Enter it before Prefect is imported: Prefect reads PREFECT_API_URL then. A server left over from a killed
    run is adopted. Raises UserError when this project is being served already, or the server does not start.
    """
    if url := os.environ.get("PREFECT_API_URL"):
        yield url
        return
    home = prefect_home(root)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{root}: schedules are being served already", "stop the other one first") from None
        record = home / "server.json"
        pid, url = _left_over(record) or _start(home)
        write_json(record, {"pid": pid, "url": url})
        os.environ["PREFECT_API_URL"] = url
        try:
            yield url
        finally:
            os.environ.pop("PREFECT_API_URL", None)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGTERM)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
            record.unlink(missing_ok=True)


def running_server(root: Path) -> str | None:
    """The API address of the server that serves this project now, if there is one."""
    found = _left_over(prefect_home(root) / "server.json")
    return found[1] if found else None


def is_own_server(root: Path) -> bool:
    """True within `local_server` when it runs a server for this project alone, so that nobody else's runs are on it."""
    found = _left_over(prefect_home(root) / "server.json")
    return found is not None and found[1] == os.environ.get("PREFECT_API_URL")


def prefect_home(root: Path) -> Path:
    """The folder of Prefect's files of the project at `root`."""
    return Path(os.environ.get("PREFECT_HOME", root / ".prefect"))


def _start(home: Path) -> tuple[int, str]:
    port = free_port(PORT)
    url = f"http://{HOST}:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    with (home / "server.log").open("w") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while not healthy(url):
        if child.poll() is not None or time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            raise UserError("the Prefect server did not start", f"see {home / 'server.log'}")
        time.sleep(0.2)
    return child.pid, url


def _left_over(record: Path) -> tuple[int, str] | None:
    """The server that a killed run left behind, if it still answers."""
    try:
        found = json.loads(record.read_text())
        pid, url = int(found["pid"]), str(found["url"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (pid, url) if healthy(url) else None


def healthy(url: str) -> bool:
    """Whether a Prefect server answers at this API address."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port(wanted: int) -> int:
    """The `wanted` port, or any free one when that is taken or 0."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise UserError(f"no free port on {HOST}", "stop another server")
