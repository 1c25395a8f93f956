"""The chain of stages behind some outputs, each input with the hash DVC recorded and the hash it has now."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.graph import related
from pipeline.audit.project import Project, StageFacts, open_project
from voice.errors import UserError


@dataclass(frozen=True)
class Link:
    """One file or folder of the chain.

    `kind` is raw, base, code, made (by a stage above), input or output; hashes are md5, a folder's ends in
    ".dir"; `state` is ok, changed, missing or unrecorded. `members` names what differs inside a folder, where the
    cache still has its listing.
    """

    path: str
    kind: str
    recorded: str | None
    current: str | None
    members: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """How the present file compares with the recorded one."""
        if self.recorded is None:
            return "unrecorded"
        if self.current is None:
            return "missing"
        return "ok" if self.recorded == self.current else "changed"

    @property
    def problems(self) -> list[str]:
        """What is wrong, file by file where that is known."""
        return list(self.members) or ([] if self.state == "ok" else [f"{self.path} {self.state}"])


@dataclass(frozen=True)
class Param:
    """One section or key of a params file, as recorded at the last run and as it is now."""

    name: str
    recorded: Any
    current: Any

    @property
    def state(self) -> str:
        """ok, changed, or unrecorded."""
        if self.recorded is None:
            return "unrecorded"
        return "ok" if self.recorded == self.current else "changed"


@dataclass(frozen=True)
class Step:
    """One stage of the chain."""

    stage: str
    command: str
    command_changed: bool
    upstream: tuple[str, ...]
    deps: tuple[Link, ...]
    params: tuple[Param, ...]
    outs: tuple[Link, ...]

    @property
    def built(self) -> bool:
        """True when dvc.lock has a record of this stage."""
        return any(out.recorded is not None for out in self.outs)


def read_chain(root: Path, path: str) -> list[Step]:
    """`chain_of` in the project at `root`."""
    with open_project(root) as project:
        return chain_of(project, [path])


def chain_of(project: Project, paths: Sequence[str]) -> list[Step]:
    """The stages that make `paths` (outputs, something inside one, or a folder above some), upstream first.

    Paths are relative to the project. Raises UserError when no stage makes one of them.
    """
    chosen: set[str] = set()
    for path in paths:
        if not (found := project.lineage.backward(path)):
            raise not_made(project, path)
        chosen |= found
    return [step_of(project, stage) for stage in project.select(chosen)]


def not_made(project: Project, path: str) -> UserError:
    """The answer for a path that no stage makes."""
    readers = project.lineage.readers(path)
    users = [stage.address for stage in project.stages if stage.address in readers]
    if users:
        return UserError(f"{path}: an input, made by no stage", f"it feeds {', '.join(users)}")
    return UserError(f"{path}: no stage makes it and no narration lists it", "name an output, such as models/<voice>")


def step_of(project: Project, stage: StageFacts) -> Step:
    """One stage with the present hashes beside the recorded ones."""
    deps = []
    for path, recorded in stage.deps.items():
        kind = "made" if project.lineage.makers(path) else _kind(path)
        deps.append(_link(project, path, kind, recorded))
    return Step(
        stage=stage.address,
        command=stage.command,
        command_changed=stage.command_changed,
        upstream=stage.upstream,
        deps=tuple(deps),
        params=tuple(Param(fact.name, fact.recorded, fact.current) for fact in stage.params),
        outs=tuple(_link(project, path, "output", recorded) for path, recorded in stage.outs.items()),
    )


def _kind(path: str) -> str:
    if related(path, "data/raw"):
        return "raw"
    if path.startswith("models/base"):
        return "base"
    return "code" if path.startswith(("stages/", "voice/")) or path.endswith(".py") else "input"


def _link(project: Project, path: str, kind: str, recorded: str | None) -> Link:
    current = project.hashes.digest(path)
    differs = recorded is not None and current is not None and recorded != current
    folder = differs and recorded is not None and recorded.endswith(".dir") and str(current).endswith(".dir")
    return Link(path, kind, recorded, current, _changed_members(project, path, str(recorded)) if folder else ())


def _changed_members(project: Project, path: str, recorded: str) -> tuple[str, ...]:
    """ "PATH/NAME changed", missing or added for each file of a folder that is not as recorded."""
    before, now = listing(project, recorded), project.hashes.members(path)
    if before is None:
        return ()
    names = sorted(before.keys() | now.keys())
    how = [(name, _how(before.get(name), now.get(name))) for name in names]
    return tuple(f"{path}/{name} {word}" for name, word in how if word)


def _how(before: str | None, now: str | None) -> str:
    if before is None:
        return "added"
    if now is None:
        return "missing"
    return "" if before == now else "changed"


def listing(project: Project, digest: str) -> dict[str, str] | None:
    """Path inside -> md5 of a folder that DVC cached under `digest` (hex and ".dir"), None when the cache lacks it."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        entries = json.loads(project.cached_file(digest).read_text(encoding="utf-8"))
        return {entry["relpath"]: entry["md5"] for entry in entries}
    return None
