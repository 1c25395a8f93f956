"""Metrics, and whether they were measured on the weights that lie there now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.chain import Step

NAME = "metrics.json"


@dataclass(frozen=True)
class Metrics:
    """The figures of one stage, and why they are bound to the present weights or not.

    `bound` holds only when the file is as its stage left it and that stage read the very weights that are there now.
    """

    path: str
    stage: str
    bound: bool
    why: str
    weights: dict[str, str | None]
    values: Any


def read_metrics(root: Path, steps: Sequence[Step]) -> tuple[Metrics, ...]:
    """The metrics files among the outputs of `steps`."""
    found = []
    for step in steps:
        for out in step.outs:
            if out.path.endswith(f"/{NAME}"):
                weights = [dep for dep in step.deps if dep.kind == "made" and dep.path.endswith(".safetensors")]
                wrong = [problem for link in (out, *weights) for problem in link.problems]
                why = "; ".join(wrong) or "measured on these weights"
                used = {dep.path: dep.recorded for dep in weights}
                bound = not wrong and bool(weights)
                why = why if weights else "its stage reads no weights"
                found.append(Metrics(out.path, step.stage, bound, why, used, _values(root / out.path)))
    return tuple(found)


def _values(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
