"""On which device weights were trained, and with which torch: as their own metadata says, else not known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.audit.chain import Step
from pipeline.audit.exposure import metadata

UNKNOWN = "unknown: weights do not say it"


def trained_on(root: Path, steps: Sequence[Step]) -> str:
    """The devices of the trainings in a chain, in words: "cpu, torch 2.11.0"; named one by one where they differ."""
    files = [out.path for step in steps if "train" in step.stage for out in step.outs]
    told = {path.rpartition("/")[2].removesuffix(".safetensors"): _told(root / path) for path in files
            if path.endswith(".safetensors")}  # fmt: skip
    if len(set(told.values())) <= 1:
        return next(iter(told.values()), UNKNOWN)
    return "; ".join(f"{name} {text}" for name, text in told.items())


def _told(weights: Path) -> str:
    try:
        chosen: Any = json.loads(metadata(weights)["reprovoice"])["chosen"]
        devices, torch = chosen["devices"], chosen["torch"]
        return f"{' then '.join(map(str, devices))}, torch {torch}" if devices else UNKNOWN
    except (KeyError, ValueError, TypeError, AttributeError, OSError):
        return UNKNOWN
