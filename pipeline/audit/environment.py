"""With which code, libraries and settings: the commit and what differs from it, the lock of libraries, seeds."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.audit.chain import Step
from pipeline.audit.devices import trained_on
from pipeline.audit.project import Project
from pipeline.dvc_lock import LOCK
from pipeline.git import SHALLOW

LIBRARIES = "requirements.lock"
NOT_GIT = "not a Git repository: no commit to name"
NO_COMMIT = "Git has no commit yet"


@dataclass(frozen=True)
class Environment:
    """The environment now, and what of it the runs recorded.

    `recorded_in` is the commit that holds the present dvc.lock, None while it differs from Git; `dirty` lists files
    that differ from `commit` and `dirty_sha256` is over all differences; `seeds` are those of the runs,
    `device` is what the weights say they were trained on.
    """

    commit: str | None
    recorded_in: str | None
    dirty: tuple[str, ...]
    dirty_sha256: str | None
    libraries: str
    libraries_sha256: str | None
    python: str
    platform: str
    device: str
    threads: Any
    seeds: tuple[tuple[str, Any], ...]
    notes: tuple[str, ...]


def read_environment(project: Project, steps: Sequence[Step]) -> Environment:
    """What Git, the lock of libraries and the recorded parameters say."""
    git, notes = project.git, []
    commit = git.head() if git else None
    if git is None:
        notes.append(NOT_GIT)
    elif commit is None:
        notes.append(NO_COMMIT)
    if git and git.shallow():
        notes.append(SHALLOW)
    dirty, digest = git.dirty() if git and commit else ([], None)
    return Environment(
        commit=commit,
        recorded_in=_recorded_in(project) if commit else None,
        dirty=tuple(dirty),
        dirty_sha256=digest,
        libraries=LIBRARIES,
        libraries_sha256=project.hashes.sha256(LIBRARIES),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        device=trained_on(project.root, steps),
        threads=next((param.recorded for step in steps for param in step.params if param.name == "threads"), None),
        seeds=tuple(dict.fromkeys(_seeds(steps))),
        notes=tuple(notes),
    )


def _recorded_in(project: Project) -> str | None:
    assert project.git is not None
    lock = project.root / LOCK
    (held,) = project.git.blobs([("HEAD", LOCK)])
    if held is None or not lock.is_file() or lock.read_bytes() != held[1]:
        return None
    found = project.git.text("log", "-1", "--format=%H", "--", LOCK)
    return found.strip() if found else None


def _seeds(steps: Sequence[Step]) -> list[tuple[str, Any]]:
    return [
        (param.name, param.recorded["seed"])
        for step in steps
        for param in step.params
        if isinstance(param.recorded, dict) and "seed" in param.recorded
    ]
