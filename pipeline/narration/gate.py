"""What a gate of quality must offer, so that lines are judged before they are handed out."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.engine import DEFAULT_ENGINE
from voice.errors import UserError

ATTEMPTS = 3  # of a line in all
SPEECH_GATE = "pipeline.narration.judging:default_gate"


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
    gate for one voice, None for a voice that is not judged; `unheard(name, engine)` then is a note that says so. That
    gate may have a method `for_line(request, scale)`, which gives the gate for one line, spoken at that length_scale.
    A reason may be an object with its words in `told`, a verdict may have a `rank` (smaller is better) that orders
    attempts with as many reasons. `heard_by` names for readers what listens.
    """

    def __call__(self, audio: NDArray[np.float32], rate: int, text: str, lang: str, seconds_expected: float) -> Verdict:
        """Verdict on `audio` [N] at `rate` Hz; `text` is without pause tags, `seconds_expected` a rough guess."""


def chosen_gate(choice: str | None, engine: str) -> str | None:
    """`module:function` of the gate for on, off, or such a name itself; None for no gate.

    Without a choice, real voices have theirs and other engines none. Raises UserError for another word.
    """
    if choice is None:
        choice = "on" if engine == DEFAULT_ENGINE else "off"
    if choice in ("on", "off"):
        return SPEECH_GATE if choice == "on" else None
    if ":" not in choice:
        raise UserError(f"--gate {choice}: not known", "use on, off or module:function")
    return choice


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
