"""Tables of docs/bench_gate.py: recall and false alarms of limits on scores that were measured, and better limits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from voice.gate.judge import verdict
from voice.gate.limits import RULES, Limits
from voice.gate.scores import Scores

Take = Mapping[str, Any]
UNTOUCHED = "untouched"
TUNED = ("skip", "cut", "twice", "swap", "other", "extra", "noise")
ALLOWED = 0.02  # false alarms while limits are chosen; the bar is 0.03


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
    """Limits for `takes`: beyond each lies the same share of the untouched, of all together at most ALLOWED.

    One number is fitted, not one for each limit, which would fit the few odd clips of one half.
    """
    rules = [rule for rule in RULES if rule.figure in TUNED]
    clean = [take for take in takes if take["fault"] == UNTOUCHED]
    values = np.array([[take["figures"].get(rule.figure, -np.inf) for rule in rules] for take in clean])
    found = Limits()
    for percent in np.linspace(100.0, 98.0, 41):
        limits = np.ceil(np.percentile(values, percent, axis=0) * 2) / 2
        trial = Limits({(rule.code, rule.figure): float(value) for rule, value in zip(rules, limits, strict=True)})
        if np.mean([bool(failing(take, trial)) for take in clean]) > ALLOWED:
            break
        found = trial
    return found
