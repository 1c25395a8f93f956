"""Chinese text made speakable: dates, times, amounts, units and signs written out in characters."""

from __future__ import annotations

import re
from functools import cache

from voice.text.mandarin_rules import RULES, SIGNS, UNIT_CHOICE, Replacement

__all__ = ["UNIT_CHOICE", "spell_out", "spell_out_marked"]

_SIGN = re.compile("[" + re.escape("".join(SIGNS)) + "]")
_WRITTEN_OUT = re.compile(r"\d|" + _SIGN.pattern)


@cache
def _compiled() -> list[tuple[re.Pattern[str], Replacement]]:
    """The rules, compiled at the first number to keep imports quick."""
    return [(re.compile(rule), to) for rule, to in RULES]


def spell_out(text: str) -> str:
    """Cleaned Chinese text with every number and readable sign replaced by characters; other signs stay."""
    return spell_out_marked(text)[0]


def spell_out_marked(text: str) -> tuple[str, list[bool]]:
    """The text written out, and for each of its characters whether a rule put it there."""
    made = [False] * len(text)
    if not _WRITTEN_OUT.search(text):
        return text, made
    for rule, replacement in _compiled():
        text, made = _replace(rule, replacement, text, made)
    return _replace(_SIGN, lambda sign: SIGNS[sign[0]], text, made)


def _replace(rule: re.Pattern[str], to: Replacement, text: str, made: list[bool]) -> tuple[str, list[bool]]:
    """One rule applied everywhere; characters a match keeps at its ends stay what they were."""
    pieces: list[str] = []
    marks: list[bool] = []
    place = 0
    for match in rule.finditer(text):
        old, new = match[0], match.expand(to) if isinstance(to, str) else to(match)
        head = 0
        while head < min(len(old), len(new)) and old[head] == new[head]:
            head += 1
        tail = 0
        while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        start, end = match.span()
        pieces += (text[place:start], new)
        marks += made[place : start + head]
        marks += [True] * (len(new) - head - tail)
        marks += made[end - tail : end]
        place = end
    if not place and not pieces:
        return text, made
    return "".join(pieces) + text[place:], marks + made[place:]
