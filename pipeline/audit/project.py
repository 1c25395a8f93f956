"""What DVC knows of a project, as plain values: its stages with the hashes recorded at their last run.

Starts from DVC's graph, never from dvc.lock alone: the lock keeps stages that were taken out of the pipeline.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import networkx as nx
from dvc.dependency.param import ParamsDependency
from dvc.exceptions import DvcException
from dvc.repo import Repo

from pipeline.audit.graph import Lineage, Rule
from pipeline.audit.hashes import Hashes
from pipeline.git import Git, open_git
from voice.errors import UserError

FILES, RUNS = "files/md5", "runs"


@dataclass(frozen=True)
class ParamFact:
    """A section or key of a params file: its value at the last run (None: never), and now."""

    file: str
    name: str
    recorded: Any
    current: Any


@dataclass(frozen=True)
class StageFacts:
    """One stage as dvc.yaml has it, with what dvc.lock recorded: path -> md5, None where it has no record."""

    address: str
    command: str
    command_changed: bool
    upstream: tuple[str, ...]
    deps: dict[str, str | None]
    params: tuple[ParamFact, ...]
    outs: dict[str, str | None]
    cached: frozenset[str]
    gpu: bool

    @property
    def voice(self) -> str:
        """The name after `@`, "" for a stage that is not per voice."""
        return self.address.partition("@")[2]


@dataclass(frozen=True)
class Project:
    """A project opened for questions. `stages` come upstream first; `cache` is the folder of DVC's local cache."""

    root: Path
    stages: tuple[StageFacts, ...]
    cache: Path
    hashes: Hashes
    git: Git | None

    @cached_property
    def lineage(self) -> Lineage:
        """The stages as a graph of paths."""
        return Lineage(Rule(stage.address, tuple(stage.deps), tuple(stage.outs)) for stage in self.stages)

    @cached_property
    def by_address(self) -> dict[str, StageFacts]:
        """Address -> stage."""
        return {stage.address: stage for stage in self.stages}

    @property
    def voices(self) -> list[str]:
        """Voices of the pipeline, and folders of recordings that no stage reads."""
        raw = self.root / "data" / "raw"
        folders = {path.name for path in raw.iterdir() if path.is_dir()} if raw.is_dir() else set()
        return sorted({stage.voice for stage in self.stages if stage.voice} | folders)

    def select(self, addresses: set[str]) -> list[StageFacts]:
        """These stages, upstream first."""
        return [stage for stage in self.stages if stage.address in addresses]

    def cached_file(self, md5: str) -> Path:
        """Where DVC's local cache holds an object, there or not."""
        return self.cache / FILES / md5[:2] / md5[2:]

    def relative(self, path: Path) -> str:
        """`path` as a path inside the project. Raises UserError when it lies outside."""
        full, root = path.resolve(), self.root.resolve()
        if not full.is_relative_to(root):
            hint = "audit runs in the project that made the file"
            raise UserError(f"{path}: not inside the project {self.root}", hint)
        return full.relative_to(root).as_posix()


@contextlib.contextmanager
def open_project(root: Path, fresh: bool = False) -> Iterator[Project]:
    """The project at `root`; `fresh` hashes read every byte. Raises UserError when DVC cannot read the pipeline."""
    git = open_git(root)
    config = None if git else {"core": {"no_scm": True}}
    # DVC writes addresses and looks for params relative to the current folder.
    with contextlib.chdir(root), _refusals(root), Repo(str(root), config=config) as repo:
        graph = repo.index.graph
        params: dict[tuple[str, str], Any] = {}
        stages = tuple(_facts(stage, graph, params) for stage in nx.dfs_postorder_nodes(graph))
        ignore = repo.dvcignore
        hashes = Hashes(root.resolve(), lambda top: list(ignore.find(repo.fs, top)), fresh)
        yield Project(root.resolve(), stages, Path(repo.cache.local.path).parents[1], hashes, git)
        hashes.save()


@contextlib.contextmanager
def _refusals(root: Path) -> Iterator[None]:
    try:
        yield
    except DvcException as error:
        text = " ".join(str(error).split())
        hint = "mend dvc.yaml, dvc.lock or params.yaml; `git diff` shows what was changed"
        raise UserError(f"{root.name}: DVC cannot read the pipeline: {text}", hint) from error


def _facts(stage: Any, graph: nx.DiGraph, known: dict[tuple[str, str], Any]) -> StageFacts:
    params: list[ParamFact] = []
    deps: dict[str, str | None] = {}
    for dep in stage.deps:
        if isinstance(dep, ParamsDependency):
            recorded = dep.hash_info.value or {}
            missing = [name for name in dep.params if (dep.def_path, name) not in known]
            if missing:
                known |= {(dep.def_path, name): value for name, value in dep.read_params().items()}
            params += [
                ParamFact(dep.def_path, name, recorded.get(name), known.get((dep.def_path, name)))
                for name in dep.params
            ]
        else:
            deps[dep.def_path] = dep.hash_info.value
    return StageFacts(
        address=stage.addressing,
        command=stage.cmd if isinstance(stage.cmd, str) else " && ".join(stage.cmd or []),
        command_changed=bool(stage.cmd_changed),
        upstream=tuple(sorted(above.addressing for above in graph.successors(stage))),  # edges point upstream
        deps=deps,
        params=tuple(params),
        outs={out.def_path: out.hash_info.value for out in stage.outs},
        cached=frozenset(out.def_path for out in stage.outs if out.use_cache),
        gpu=bool((stage.meta or {}).get("gpu", False)),
    )
