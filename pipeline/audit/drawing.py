"""The graph of an audit as boxes and lines: stages and what they read and made, left to right by depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx

from pipeline.audit.chain import Link, Step
from pipeline.audit.graph import related

WIDTH, HEIGHT, ACROSS, DOWN, EDGE = 220, 42, 70, 14, 12  # pixels: a box, the room between boxes, around all


@dataclass(frozen=True)
class Box:
    """A stage or a file. `state` is "ok", "changed", "missing" or "unrecorded"; `title` has all that is known."""

    name: str
    kind: str
    state: str
    title: str
    x: int = 0
    y: int = 0

    @property
    def label(self) -> str:
        """The end of a long name says more than its beginning."""
        return self.name if len(self.name) <= 32 else f"…{self.name[-31:]}"


@dataclass(frozen=True)
class Drawing:
    """Boxes with their places, lines as paths of SVG, size in pixels."""

    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    width: int
    height: int


def draw(steps: Sequence[Step]) -> Drawing:
    """The same steps give the same drawing. Code is told with its stage: it would be most of the boxes."""
    graph, boxes = _graph(steps)
    places: dict[str, tuple[int, int]] = {}
    rows = 0
    for column, layer in enumerate(_layers(graph)):
        middle = {name: _middle([places[one][1] for one in graph.pred[name] if one in places]) for name in layer}
        for row, name in enumerate(sorted(layer, key=lambda name: (middle[name], name))):
            places[name] = EDGE + column * (WIDTH + ACROSS), EDGE + row * (HEIGHT + DOWN)
            rows = max(rows, row + 1)
    columns = 1 + max((x for x, _ in places.values()), default=0) // (WIDTH + ACROSS)
    return Drawing(
        tuple(_at(boxes[name], *places[name]) for name in sorted(places, key=lambda name: places[name])),
        tuple(_line(places[one], places[other]) for one, other in sorted(graph.edges)),
        columns * (WIDTH + ACROSS) - ACROSS + 2 * EDGE,
        rows * (HEIGHT + DOWN) - DOWN + 2 * EDGE,
    )


def _graph(steps: Sequence[Step]) -> tuple[nx.DiGraph, dict[str, Box]]:
    graph, boxes = nx.DiGraph(), {}
    made = [link.path for step in steps for link in step.outs]
    for step in steps:
        stage = f"stage {step.stage}"
        boxes[stage] = _stage(step)
        graph.add_node(stage)
        for link in step.outs:
            boxes[f"file {link.path}"] = _file(link)
            graph.add_edge(stage, f"file {link.path}")
    for step in steps:
        for link in step.deps:
            if link.kind == "code":
                continue
            path = f"file {link.path}"
            boxes.setdefault(path, _file(link))
            graph.add_edge(path, f"stage {step.stage}")
            graph.add_edges_from((f"file {out}", path) for out in made if out != link.path and related(out, link.path))
    return graph, boxes


def _layers(graph: nx.DiGraph) -> list[list[str]]:
    """Names by depth; what stands in a circle, as a dvc.lock edited by hand may, is of one depth."""
    circles = nx.condensation(graph)
    members = circles.nodes(data="members")
    return [[name for one in layer for name in members[one]] for layer in nx.topological_generations(circles)]


def _stage(step: Step) -> Box:
    wrong = [f"{link.path} {link.state}" for link in step.deps if link.kind == "code" and link.state != "ok"]
    wrong += [f"params {param.name} {param.state}" for param in step.params if param.state != "ok"]
    wrong += ["command changed"] if step.command_changed else []
    code = sum(link.kind == "code" for link in step.deps)
    title = "\n".join([step.stage, step.command, f"code: {code} file(s)", *wrong])
    return Box(step.stage, "stage", "changed" if wrong else "ok", title)


def _file(link: Link) -> Box:
    hashes = [f"recorded {link.recorded or 'nothing'}"]
    hashes += [f"now {link.current or 'missing'}"] if link.current != link.recorded else []
    return Box(link.path, link.kind, link.state, "\n".join([link.path, *hashes, link.state, *link.members[:10]]))


def _at(box: Box, x: int, y: int) -> Box:
    return Box(box.name, box.kind, box.state, box.title, x, y)


def _middle(heights: list[int]) -> float:
    return sum(heights) / len(heights) if heights else 0.0


def _line(one: tuple[int, int], other: tuple[int, int]) -> str:
    x, y, end, last = one[0] + WIDTH, one[1] + HEIGHT // 2, other[0], other[1] + HEIGHT // 2
    bend = max(20, abs(end - x) // 2)
    return f"M{x} {y}C{x + bend} {y} {end - bend} {last} {end} {last}"
