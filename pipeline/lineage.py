"""The chain of stages behind some outputs, each input with the hash DVC recorded and the hash it has now.

Starts from DVC's graph, never from dvc.lock alone: the lock keeps stages that were taken out of the pipeline.
Every byte is read again; DVC's own status trusts size and time stamp. No torch.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import networkx as nx
from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo

from voice.errors import UserError


@dataclass(frozen=True)
class Link:
    """One file or folder of the chain.

    `kind` is raw, base, code, made (by a stage above), input or output; hashes are md5, a folder's ends in
    ".dir"; `state` is ok, changed, missing or unrecorded.
    """

    path: str
    kind: str
    recorded: str | None
    current: str | None

    @property
    def state(self) -> str:
        """How the present file compares with the recorded one."""
        if self.recorded is None:
            return "unrecorded"
        if self.current is None:
            return "missing"
        return "ok" if self.recorded == self.current else "changed"


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
    """The stages that make `path` (an output, something inside one, or a folder above some), upstream first.

    `path` is relative to `root`. Raises UserError when no stage makes it.
    """
    with contextlib.chdir(root), Repo(str(root)) as repo:
        graph = repo.index.graph
        order = list(nx.dfs_postorder_nodes(graph))
        makers = {out.def_path: stage for stage in order for out in stage.outs}
        chosen = {stage for out, stage in makers.items() if _related(out, path)}
        if not chosen:
            raise _not_made(order, path)
        chosen |= {above for stage in list(chosen) for above in nx.descendants(graph, stage)}  # edges point upstream
        digest = _digester(root, repo)
        return [_step(stage, graph, makers, digest) for stage in order if stage in chosen]


def _related(out: str, path: str) -> bool:
    one, other = PurePosixPath(out), PurePosixPath(path)
    return one.is_relative_to(other) or other.is_relative_to(one)


def _not_made(order: list[Any], path: str) -> UserError:
    users = [stage.addressing for stage in order if any(_related(dep.def_path, path) for dep in stage.deps)]
    if users:
        return UserError(f"{path}: an input, made by no stage", f"it feeds {', '.join(users)}")
    return UserError(f"{path}: no stage makes it and no narration lists it", "name an output, such as models/<voice>")


def _step(stage: Any, graph: nx.DiGraph, makers: dict[str, Any], digest: Callable[[str], str | None]) -> Step:
    deps: list[Link] = []
    params: list[Param] = []
    for dep in stage.deps:
        if isinstance(dep, ParamsDependency):
            recorded = dep.hash_info.value or {}
            current = dep.read_params()
            params += [Param(name, recorded.get(name), current.get(name)) for name in dep.params]
        else:
            made = any(_related(out, dep.def_path) for out in makers)
            kind = "made" if made else _kind(dep.def_path)
            deps.append(Link(dep.def_path, kind, dep.hash_info.value, digest(dep.def_path)))
    return Step(
        stage=stage.addressing,
        command=stage.cmd if isinstance(stage.cmd, str) else " && ".join(stage.cmd or []),
        command_changed=bool(stage.cmd_changed),
        upstream=tuple(sorted(above.addressing for above in graph.successors(stage))),
        deps=tuple(deps),
        params=tuple(params),
        outs=tuple(Link(out.def_path, "output", out.hash_info.value, digest(out.def_path)) for out in stage.outs),
    )


def _kind(path: str) -> str:
    if path.startswith("data/raw"):
        return "raw"
    if path.startswith("models/base"):
        return "base"
    return "code" if path.startswith(("stages/", "voice/")) or path.endswith(".py") else "input"


def _digester(root: Path, repo: Repo) -> Callable[[str], str | None]:
    """A function from path to md5 as DVC writes it, None when missing; every file is read once."""
    known: dict[str, str | None] = {}

    def digest(name: str) -> str | None:
        if name not in known:
            known[name] = _hash(root / name, repo)
        return known[name]

    return digest


def _hash(path: Path, repo: Repo) -> str | None:
    if path.is_file():
        return _md5(path)
    if not path.is_dir():
        return None
    files = [Path(name) for name in repo.dvcignore.find(repo.fs, str(path))]
    entries = sorted((file.relative_to(path).as_posix(), _md5(file)) for file in files)
    listing = json.dumps([{"md5": md5, "relpath": name} for name, md5 in entries], sort_keys=True)
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
