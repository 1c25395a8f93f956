"""How the stages of one rebuild ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

STATES = ("Unchanged", "Rebuilt", "Failed", "NotReady")


@dataclass(frozen=True)
class StageResult:
    """One stage: `state` is one of STATES, `note` says why."""

    stage: str
    state: str
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class RebuildReport:
    """All stages of one run, upstream first."""

    stages: list[StageResult] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True when no stage failed or was left out because another failed."""
        return all(result.state in ("Unchanged", "Rebuilt") for result in self.stages)

    def counts(self) -> dict[str, int]:
        """Number of stages per state."""
        names = [result.state for result in self.stages]
        return {name: names.count(name) for name in STATES}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"ok": self.ok, "counts": self.counts(), "stages": [asdict(result) for result in self.stages]}
