"""What a gate of quality must offer, so that lines are judged before they are handed out."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from voice.errors import UserError

ATTEMPTS = 3  # of a line in all


class Verdict(Protocol):
    """What was found: `reasons` in words, empty for a good line."""

    @property
    def ok(self) -> bool:
        """True for a line that may be handed out."""

    @property
    def reasons(self) -> Sequence[str]:
        """What is wrong."""


class Gate(Protocol):
    """Judges one line. The same sound must get the same verdict.

    It may have an attribute `version`, which tells rules apart, and a method `for_voice(name, engine)`, which gives the
    gate for one voice. A reason may be an object with its words in `told`, a verdict may have a `rank` (smaller is
    better) that orders attempts with as many reasons.
    """

    def __call__(self, audio: NDArray[np.float32], rate: int, text: str, lang: str, seconds_expected: float) -> Verdict:
        """Verdict on `audio` [N] at `rate` Hz; `text` is without pause tags, `seconds_expected` a rough guess."""


def find_gate(name: str | None, root: Path) -> Gate | None:
    """The gate that the function `module:name` gives for the project at `root`; None without a name."""
    if not name:
        return None
    try:
        make = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"gate {name}: {error}", "give module:function") from error
    gate: Gate = make(root)
    return gate


def gate_name(gate: Gate | None) -> str | None:
    """What is noted of a gate beside its verdicts: kind and version."""
    if gate is None:
        return None
    kind = getattr(gate, "__qualname__", type(gate).__qualname__)
    return f"{gate.__module__}:{kind} {getattr(gate, 'version', 1)}"
