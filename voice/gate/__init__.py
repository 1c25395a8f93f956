"""The quality gate: a line is shipped when its sound says its text, once, in order, whole, in its voice and undamaged.

`judge` puts every check to one take. What is heard comes from the CTC head of the base (`load_ear`), which is offline
and there wherever a voice is; another recogniser can be named instead. docs/gate.md has the figures.
"""

from voice.gate.ear import BaseEar, Ear, load_ear
from voice.gate.expectation import Clip, Expectation
from voice.gate.judge import Reason, Verdict, judge
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
