"""Which rule feeds which, by paths alone: names and paths in, sets of names out. No DVC, no files."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx


@dataclass(frozen=True)
class Rule:
    """One step of a pipeline: it reads `deps` and makes `outs`, files or folders as relative POSIX paths."""

    name: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]


def related(one: str, other: str) -> bool:
    """True for the same path, or when one lies inside the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


@dataclass(frozen=True)
class Paths:
    """Paths with an owner each, found by a path that is the same, above or below."""

    owners: Mapping[str, Sequence[str]]
    _sorted: list[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sorted", sorted(self.owners))

    def at(self, path: str) -> set[str]:
        """Owners of every path related to `path`."""
        found = set(self.owners.get(path, ()))
        folder = path
        while folder := folder.rpartition("/")[0]:
            found |= set(self.owners.get(folder, ()))
        first = bisect_left(self._sorted, f"{path}/")
        for place in range(first, len(self._sorted)):
            if not self._sorted[place].startswith(f"{path}/"):
                break
            found |= set(self.owners[self._sorted[place]])
        return found


class Lineage:
    """The graph of `rules`: an edge from one to another that reads what the first makes, or part of it."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self._made, self._read = Paths(_owners(self.rules, "outs")), Paths(_owners(self.rules, "deps"))
        self.graph = nx.DiGraph()
        self.graph.add_nodes_from(self.rules)
        for rule in self.rules.values():
            for dep in rule.deps:
                self.graph.add_edges_from((maker, rule.name) for maker in self._made.at(dep) if maker != rule.name)

    def makers(self, path: str) -> set[str]:
        """Rules that make `path`, something in it, or a folder around it."""
        return self._made.at(path)

    def readers(self, path: str) -> set[str]:
        """Rules that read `path`, something in it, or a folder around it."""
        return self._read.at(path)

    def backward(self, path: str) -> set[str]:
        """Every rule that had a part in `path`."""
        found = self.makers(path)
        return found.union(*(nx.ancestors(self.graph, name) for name in found))

    def forward(self, path: str) -> set[str]:
        """Every rule that `path` had a part in."""
        found = self.readers(path)
        return found.union(*(self.after(name) for name in found))

    def after(self, name: str) -> set[str]:
        """Every rule that `name` had a part in, without itself."""
        return set(nx.descendants(self.graph, name))


def _owners(rules: Mapping[str, Rule], side: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rule in rules.values():
        for path in getattr(rule, side):
            found.setdefault(path, []).append(rule.name)
    return found
