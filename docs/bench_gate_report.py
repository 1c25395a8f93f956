"""Tables of docs/bench_gate.py: recall and false alarms of limits on scores that were measured, and better limits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.gate.judging import verdict
from voice.gate.limits import RULES, Limits
from voice.gate.scores import Scores

Take = Mapping[str, Any]
Array = NDArray[Any]
UNTOUCHED = "untouched"
TUNED = ("skip", "cut", "twice", "swap", "other", "extra")
WANTED, NEAR = 0.965, 2.0  # recall; nats: see `better`
ROUNDS = 4


def failing(take: Take, limits: Limits) -> list[str]:
    """Codes of the reasons against a take."""
    return [one.code for one in verdict(Scores(take["figures"], take["words"]), limits, "").reasons]


def share(flags: Sequence[bool]) -> str:
    """How many of how many."""
    return f"{sum(flags)}/{len(flags)} ({sum(flags) / len(flags):.1%})" if flags else "-"


def table(takes: Sequence[Take], limits: Limits) -> list[str]:
    """Recall by fault and false alarms, by group of clips, as a Markdown table."""
    found: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for take in takes:
        bad = bool(failing(take, limits))
        kind = UNTOUCHED if take["fault"] == UNTOUCHED else "all faults"
        for group in {take["group"], "all"}:
            for fault in {take["fault"], kind}:
                found[group, fault].append(bad)
    faults = [*dict.fromkeys(take["fault"] for take in takes if take["fault"] != UNTOUCHED), "all faults", UNTOUCHED]
    groups = [*sorted({take["group"] for take in takes}), "all"]
    if len(groups) == 2:
        groups = groups[1:]
    rows = [f"| fault | {' | '.join(groups)} |", "|---|" + "---|" * len(groups)]
    for fault in faults:
        cells = " | ".join(share(found[group, fault]) for group in groups)
        rows.append(f"| {'false alarms, untouched' if fault == UNTOUCHED else fault} | {cells} |")
    return rows


def by_size(takes: Sequence[Take], limits: Limits) -> list[str]:
    """Recall of the faults of words, by how many sounds were lost, doubled or swapped."""
    sizes = {"1": range(1, 2), "2": range(2, 3), "3": range(3, 4), "4 and 5": range(4, 6), "more": range(6, 10**6)}
    faults = ["cut", "doubled", "swapped"]
    rows = [f"| sounds | {' | '.join(faults)} |", "|---|" + "---|" * len(faults)]
    for name, size in sizes.items():
        cells = []
        for fault in faults:
            chosen = [take for take in takes if take["fault"] == fault and take["sounds"] in size]
            cells.append(share([bool(failing(take, limits)) for take in chosen]))
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def codes(takes: Sequence[Take], limits: Limits, fault: str) -> str:
    """How often each reason is given for takes with `fault`."""
    count = Counter(code for take in takes if take["fault"] == fault for code in set(failing(take, limits)))
    return ", ".join(f"{code} {number}" for code, number in count.most_common())


def missed(takes: Sequence[Take], limits: Limits, most: int) -> list[str]:
    """Faulty takes that pass and untouched ones that do not, for a person to look at."""
    lines = []
    for take in takes:
        reasons = failing(take, limits)
        if bool(reasons) == (take["fault"] == UNTOUCHED):
            figures = {name: take["figures"].get(name) for name in TUNED}
            lines.append(f"{take['clip']} {take['fault']} {take['done']} ({take['sounds']}): {reasons} {figures}")
    return lines[:most]


def better(takes: Sequence[Take]) -> Limits:
    """Limits for `takes` with WANTED recall and as few false alarms as that allows.

    An untouched take counts as an alarm when it comes within NEAR of a limit: limits that pass just over the odd clips
    of one half would not hold for the other.
    """
    rules = [rule for rule in RULES if rule.figure in TUNED]
    clean = np.array([take["fault"] == UNTOUCHED for take in takes])
    values = np.array([[take["figures"].get(rule.figure, -np.inf) for rule in rules] for take in takes])
    fixed = Limits({(rule.code, rule.figure): np.inf for rule in rules})
    other = np.array([bool(failing(take, fixed)) for take in takes])
    limits = np.ceil(values[clean].max(axis=0)) + NEAR
    for allowed in np.arange(0.0, 0.2, 0.005):
        limits, recall = _raised(values, clean, other, limits, float(allowed))
        if recall >= WANTED:
            break
    return Limits({(rule.code, rule.figure): float(value) for rule, value in zip(rules, limits, strict=True)})


def _raised(values: Array, clean: Array, other: Array, limits: Array, allowed: float) -> tuple[Array, float]:
    """Limits with more recall at `allowed` false alarms, each changed in turn, and that recall."""
    best = 0.0
    for place in [*range(len(limits))] * ROUNDS:
        for step in np.arange(-3.0, limits[place] + 0.5, 0.5):
            trial = limits.copy()
            trial[place] = step
            alarms = other[clean] | (values[clean] > trial - NEAR).any(axis=1)
            recall = float((other[~clean] | (values[~clean] > trial).any(axis=1)).mean())
            if alarms.mean() <= max(allowed, other[clean].mean()) and recall > best:
                best, limits = recall, trial
    return limits, best
