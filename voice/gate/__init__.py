"""The quality gate: a line is shipped when its sound says its text, once, in order, whole, in its voice and undamaged.

`judge` puts every check to one take. What is heard comes from the CTC head of the base (`load_ear`), which is offline
and there wherever a voice is; another recogniser can be named instead. docs/gate.md has the figures. Each name is
imported at its first use: the limits alone need no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voice.gate.ear import BaseEar, Ear, load_ear
    from voice.gate.expectation import Clip, Expectation
    from voice.gate.judging import Reason, Verdict, judge
    from voice.gate.limits import Limits
    from voice.gate.said import Said, said_words

__all__ = [
    "BaseEar",
    "Clip",
    "Ear",
    "Expectation",
    "Limits",
    "Reason",
    "Said",
    "Verdict",
    "judge",
    "load_ear",
    "said_words",
]

_MODULES = {
    **dict.fromkeys(("BaseEar", "Ear", "load_ear"), "ear"),
    **dict.fromkeys(("Clip", "Expectation"), "expectation"),
    **dict.fromkeys(("Reason", "Verdict", "judge"), "judging"),
    "Limits": "limits",
    **dict.fromkeys(("Said", "said_words"), "said"),
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
