"""The walk over paths is a brute-force walk over random pipelines, both ways; and DVC's own graph."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.audit.graph import Lineage, Rule
from pipeline.audit.project import open_project

NAMES = st.sampled_from(["a", "b", "ab", "a.b", "c-d", "a b"])  # names that are beginnings of others, and sort between
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@st.composite
def pipelines(draw: st.DrawFn) -> tuple[list[Rule], str]:
    """Rules in any order, with deps inside, above and beside what others make; and a path to ask for."""
    count = draw(st.integers(1, 8))
    rules = [
        Rule(f"r{n}", tuple(draw(st.lists(PATHS, max_size=3))), tuple(draw(st.lists(PATHS, min_size=1, max_size=2))))
        for n in range(count)
    ]
    return rules, draw(PATHS)


def touching(one: str, other: str) -> bool:
    a, b = one.split("/"), other.split("/")
    return a[: len(b)] == b or b[: len(a)] == a


def brute(rules: list[Rule], path: str, start: str, stop: str) -> set[str]:
    """All rules reached from those whose `start` paths touch `path`, one pass over all pairs after another."""
    found = {rule.name for rule in rules if any(touching(p, path) for p in getattr(rule, start))}
    while True:
        more = {
            other.name
            for rule in rules
            for other in rules
            if rule.name in found and any(touching(p, q) for p in getattr(rule, stop) for q in getattr(other, start))
        }
        if more <= found:
            return found
        found |= more


@given(pipelines())
def test_forward_and_backward_are_the_brute_force_walk(case: tuple[list[Rule], str]) -> None:
    rules, path = case
    lineage = Lineage(rules)
    assert lineage.forward(path) == brute(rules, path, start="deps", stop="outs")
    assert lineage.backward(path) == brute(rules, path, start="outs", stop="deps")


@given(pipelines())
def test_what_is_reached_forward_reaches_back(case: tuple[list[Rule], str]) -> None:
    rules, _ = case
    lineage = Lineage(rules)
    for rule in rules:
        for out in rule.outs:
            for name in lineage.forward(out):
                assert rule.name in set().union(*(lineage.backward(path) for path in lineage.rules[name].outs))


def test_the_graph_of_paths_is_dvcs_own(built: Path) -> None:
    with open_project(built) as project:
        for stage in project.stages:
            assert set(project.lineage.graph.predecessors(stage.address)) == set(stage.upstream)
        assert len(project.stages) == 6
