"""The limits of the gate: what a figure may be at most (or at least), and what is said of one beyond it.

Chosen on one half of the clips of docs/gate.md, where the figures are; the other half tells how well they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rule:
    """`figure` must not be above `limit` (below it for `least`); `told` explains it with {value}, {limit}, {words}."""

    code: str
    figure: str
    limit: float
    told: str
    least: bool = False

    def breaks(self, value: float) -> bool:
        """Whether `value` is beyond the limit."""
        return value < self.limit if self.least else value > self.limit


RULES = (
    Rule("silent", "level", -60.0, "nothing to hear: {value:.0f} dB at its loudest", least=True),
    Rule("no_room", "room", -0.5, "too short for its text: {value:.0f} frames to spare", least=True),
    Rule("skipped", "skip", 11.5, "left out: {words} ({value:.1f} nats, at most {limit:g})"),
    Rule("cut_off", "cut", 3.0, "stops before: {words} ({value:.1f} nats, at most {limit:g})"),
    Rule("cut_off", "end", -11.0, "ends in the middle of a sound: {value:.0f} dB in its last 30 ms"),
    Rule("doubled", "twice", 2.0, "said twice: {words} ({value:.1f} nats, at most {limit:g})"),
    Rule("swapped", "swap", 3.5, "in another order: {words} ({value:.1f} nats, at most {limit:g})"),
    Rule("other_words", "other", 16.0, "something else in place of: {words} ({value:.1f} nats, at most {limit:g})"),
    Rule("extra_words", "extra", 9.0, "said besides, after: {words} ({value:.1f} nats, at most {limit:g})"),
    Rule("clipped", "clipping", 0.001, "clipped: {value:.1%} of its samples stand at the peak"),
    Rule("dead_air", "dead", 0.35, "{value:.2f} s of silence in: {words}"),
    Rule("dead_air", "gap", 0.8, "{value:.2f} s of silence without a mark in: {words}"),
    Rule("dead_air", "pause", 2.0, "{value:.2f} s of silence inside"),
    Rule("noisy", "noise", 5.0, "{value:.0f} dB fuller of noise than the voice"),
    Rule("noisy", "fill", -23.0, "full of noise: {value:.0f} dB under the speech, at most {limit:.0f}"),
    Rule("too_short", "pace", 0.75, "sounds come {value:+.2f} octaves faster than the voice speaks"),
    Rule("too_long", "pace", -0.75, "sounds come {value:+.2f} octaves slower than the voice speaks", least=True),
    Rule("other_voice", "likeness", 0.8, "its spectrum is like the voice's by {value:.2f} only", least=True),
    Rule("other_voice", "pitch", 6.0, "{value:.1f} semitones from the voice's pitch"),
)


@dataclass(frozen=True)
class Limits:
    """The rules in force; `changed` gives other limits by figure, as (code, figure) to value."""

    changed: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def rules(self) -> tuple[Rule, ...]:
        """All rules with their limits."""
        return tuple(
            Rule(r.code, r.figure, self.changed.get((r.code, r.figure), r.limit), r.told, r.least) for r in RULES
        )
