"""A Prefect server for one run by hand, which comes up in a process of its own while this one reads the voices.

Prefect would start such a server too, but only when the run begins, and would import all of it here.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.server import HOST, START_SECONDS, free_port, healthy, prefect_home
from voice.errors import UserError

STOP_SECONDS = 5.0


def app() -> Any:
    """What uvicorn serves: Prefect's API with the services that record a run. Ends when the run's process is gone."""
    from prefect.server.api.server import create_app

    threading.Thread(target=_end_with_the_run, daemon=True).start()
    return create_app(ephemeral=True, final=True)


def _end_with_the_run() -> None:
    """Standard input is a pipe from the process of the run, which closes with it, also when it is killed."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def start_ahead(root: Path) -> Callable[[], None]:
    """Start a server that lasts as long as this process; returns a function that waits until it answers.

    What it has to complain of goes to `run-server.log` among Prefect's files of the project at `root`.
    Call it before Prefect is imported, which reads PREFECT_API_URL then: where that is set, or Prefect is here already,
    nothing is started. The function raises UserError when the server ends early or takes longer than START_SECONDS.
    """
    if os.environ.get("PREFECT_API_URL") or "prefect" in sys.modules:
        return lambda: None
    port = free_port(0)
    url = f"http://{HOST}:{port}/api"
    command = [sys.executable, "-m", "uvicorn", "--factory", f"{__name__}:app", "--host", HOST, "--port", str(port)]
    (home := prefect_home(root)).mkdir(parents=True, exist_ok=True)
    with (home / "run-server.log").open("a") as log:
        child = subprocess.Popen(
            [*command, "--log-level", "error", "--lifespan", "on"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, "PREFECT_UI_ENABLED": "0"},
            start_new_session=True,  # Ctrl-C is for the run, which says its last words to the server
        )
    os.environ["PREFECT_API_URL"] = url
    # What is registered first is called last: by then Prefect has sent what it kept for the end.
    atexit.register(_stop, child)
    return partial(_wait, child, url, home / "run-server.log")


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _wait(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not healthy(url):
        if child.poll() is not None or time.monotonic() > deadline:
            raise UserError("the Prefect server of this run did not start", f"see {log}, or narrate with --direct")
        time.sleep(0.05)
