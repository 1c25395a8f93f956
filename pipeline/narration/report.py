"""What a narration would do, and what it did, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

COUNTS = ("lines", "rendered", "cached", "removed", "failed")


@dataclass(frozen=True)
class NarrationPlan:
    """What a narration would do: lines == to_render + cached.

    - to_judge: cached lines that this gate has not judged yet; one that fails is spoken again
    - changed: lines to render that stand where the last run had another one; removed: lines that are no more there
    - estimate: seconds of work, None while no line was ever timed; minutes: of finished speech
    - eta: when it would end if it began now, as 2026-05-01T03:20:00+00:00
    """

    lines: int
    characters: int
    to_render: int
    cached: int
    changed: int
    removed: int
    estimate: float | None
    minutes: float | None
    eta: str | None
    chapters: int = 1
    to_judge: int = 0
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class NarrationReport:
    """What a narration did: lines == rendered + cached + failed.

    A line fails that could not be said (one text in `errors`; it is not in the book), or that the gate still found
    wrong after all attempts (one text in `doubtful`; its best attempt is in the book). assembled: False when
    `strict` forbade the book.
    """

    lines: int
    rendered: int
    cached: int
    removed: int
    failed: int
    seconds: float
    output: str
    rendered_lines: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    assembled: bool = True

    @property
    def ok(self) -> bool:
        """True when the book was made and every line is in it."""
        return self.assembled and not self.errors

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, the counts once more as the last of them."""
        return {"ok": self.ok, **asdict(self), "counts": {name: getattr(self, name) for name in COUNTS}}
