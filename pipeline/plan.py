"""What DVC would run, as a list of nodes: its graph plus one status call. No torch, no Prefect."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
from dvc.exceptions import DvcException
from dvc.repo import Repo

from voice.errors import UserError

SHOWN = 3  # paths named in a reason


@dataclass(frozen=True)
class StageNode:
    """One DVC stage. `changed` is DVC's own verdict, `dirty` adds "or something upstream is dirty"."""

    address: str
    upstream: tuple[str, ...]
    changed: bool
    reasons: tuple[str, ...]
    dirty: bool
    gpu: bool = False
    retries: int = 0
    desc: str = ""

    @property
    def voice(self) -> str:
        """The name after `@`, or "" for a stage that is not per voice."""
        return self.address.partition("@")[2]


def read_plan(root: Path, targets: Iterable[str] = (), voices: Iterable[str] = ()) -> list[StageNode]:
    """Every stage the targets need, upstream first.

    `targets` are stage names (`slice@demo_en`, or `slice` for all voices), `voices` keep the stages of those
    voices; with neither, all stages. Raises UserError for an unknown name or a dvc.yaml that DVC refuses.
    """
    # DVC writes addresses relative to the current folder, so both calls are made from the root.
    with contextlib.chdir(root), _errors_named(root), Repo(str(root)) as repo:
        status = repo.status()
        graph = repo.index.graph
        stages = {stage.addressing: stage for stage in nx.dfs_postorder_nodes(graph)}
        wanted = _select(graph, stages, list(targets), list(voices))
        nodes: dict[str, StageNode] = {}
        for address, stage in stages.items():
            if address not in wanted:
                continue
            upstream = tuple(sorted(above.addressing for above in graph.successors(stage)))
            changed = address in status
            meta = stage.meta or {}
            nodes[address] = StageNode(
                address=address,
                upstream=upstream,
                changed=changed,
                reasons=tuple(_reasons(status.get(address, []))),
                dirty=changed or any(nodes[name].dirty for name in upstream),
                gpu=bool(meta.get("gpu", False)),
                retries=int(meta.get("retries", 0)),
                desc=stage.desc or "",
            )
        return list(nodes.values())


@contextlib.contextmanager
def _errors_named(root: Path) -> Any:
    """Turn DVC's own refusals (bad YAML, cycles, doubled outputs) into one line."""
    try:
        yield
    except DvcException as error:
        text = " ".join(str(error).split())
        raise UserError(f"{root.name}: DVC cannot read the pipeline: {text}", "mend dvc.yaml or params.yaml") from error


def _select(graph: nx.DiGraph, stages: dict[str, Any], targets: list[str], voices: list[str]) -> set[str]:
    """The addresses named by targets and voices, with all their ancestors."""
    if not targets and not voices:
        return set(stages)
    chosen: set[str] = set()
    for target in targets:
        found = {name for name in stages if name == target or name.partition("@")[0] == target}
        if not found:
            raise UserError(f"{target}: no such stage", f"stages: {', '.join(_names(stages))}")
        chosen |= found
    for voice in voices:
        found = {name for name in stages if name.partition("@")[2] == voice}
        if not found:
            known = sorted({name.partition("@")[2] for name in stages} - {""})
            raise UserError(f"{voice}: unknown voice", f"voices: {', '.join(known) or 'none'}")
        chosen |= found
    above = {up.addressing for name in chosen for up in nx.descendants(graph, stages[name])}  # edges point upstream
    return chosen | above


def _names(stages: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name.partition("@")[0] for name in stages))


def _reasons(entries: list[Any]) -> Iterable[str]:
    """DVC's status entries as short phrases: "changed command", "changed deps: params.yaml modified"."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry
            continue
        for what, paths in entry.items():
            parts = [f"{path} {how if isinstance(how, str) else 'modified'}" for path, how in paths.items()]
            # Data and parameters before code: they are what people look for.
            parts.sort(key=lambda part: (part.split(" ")[0].endswith(".py"), part))
            more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
            yield f"{what}: {', '.join(parts[:SHOWN])}{more}"
