"""Run commands in their own process groups, and stop them all: a cancelled run leaves no child behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

GRACE_SECONDS = 10.0


class StoppedError(RuntimeError):
    """The run was cancelled before or while this command ran."""


class Children:
    """The running commands of one process; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[str]] = {}
        self._stopping = False

    def reset(self) -> None:
        """Accept new commands again after `stop`."""
        with self._lock:
            self._stopping = False

    def run(self, command: list[str], cwd: Path, env: dict[str, str], on_line: Callable[[str], None]) -> int:
        """Run `command`, give each line of its output to `on_line`, return its exit status.

        Raises StoppedError when `stop` was called before or meanwhile.
        """
        with self._lock:
            if self._stopping:
                raise StoppedError("the run was cancelled")
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # a group of its own, so that grandchildren can be stopped with it
            )
            self._running[child.pid] = child
        try:
            assert child.stdout is not None
            for line in child.stdout:
                if line.strip():
                    on_line(line.rstrip())
            status = child.wait()
        finally:
            if child.poll() is None:
                _signal_group(child.pid, signal.SIGTERM)
                child.wait()
            with self._lock:
                self._running.pop(child.pid, None)
                stopping = self._stopping
        if stopping:
            raise StoppedError("the run was cancelled")
        return status

    def stop(self) -> None:
        """End every running group: SIGTERM, after GRACE_SECONDS SIGKILL. Refuse new ones.

        SIGTERM rather than SIGINT, because a process started in the background ignores SIGINT.
        """
        with self._lock:
            self._stopping = True
            groups = list(self._running)
        for group in groups:
            _signal_group(group, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and any(_group_alive(group) for group in groups):
            time.sleep(0.05)
        for group in groups:
            _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _group_alive(group: int) -> bool:
    """True while the group has a member; one not yet reaped still counts, so callers keep a deadline."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


CHILDREN = Children()
