"""Where the project is, and the environment that DVC, Prefect and the maths libraries start with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from voice.errors import UserError

MARKER = "dvc.yaml"
DEFAULTS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "true",
    # A first start migrates an empty database; the stock limit of 20 s is too short on a slow disk.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
    # Lines and failures of a run are printed by us, without tracebacks; Prefect's run log gets everything.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
}


def find_root(start: Path | None = None) -> Path | None:
    """The nearest folder from `start` (default: the current folder) upward that holds dvc.yaml, or None."""
    here = (start or Path.cwd()).resolve()
    return next((folder for folder in (here, *here.parents) if (folder / MARKER).is_file()), None)


def name_in(root: Path, path: Path) -> str:
    """An absolute path as the project tells it: relative to the root when it lies inside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def project_root(start: Path | None = None) -> Path:
    """Like `find_root`, but raises UserError when there is none."""
    root = find_root(start)
    if root is None:
        raise UserError(
            f"{(start or Path.cwd()).resolve()}: no {MARKER} here or in any folder above",
            "change into a reprovoice project first",
        )
    return root


def set_defaults() -> None:
    """Fill in DEFAULTS where the environment says nothing; Prefect's files go into the project."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    root = find_root()
    if root is not None:
        os.environ.setdefault("PREFECT_HOME", str(root / ".prefect"))


def child_environment() -> dict[str, str]:
    """The environment for a stage: this interpreter's folder comes first on PATH, so `python` is this one."""
    folder = str(Path(sys.executable).parent)
    path = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
