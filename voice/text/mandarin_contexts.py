"""Reading of a character with several readings from what stands before and after it."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from voice.text.mandarin_readings import GROUPS, TABLE

Context = tuple[str, bool, tuple[str, ...], tuple[str, ...]]


@cache
def contexts() -> dict[str, tuple[str, tuple[Context, ...]]]:
    """Character -> (default reading, ((reading, both sides, strings before, strings after), ...))."""
    table = " ".join(TABLE.split())
    for name, words in GROUPS.items():
        table = table.replace(name, words)
    entries = (entry.partition("=") for entry in re.split(r" (?=\S=)", table))
    return {character: _parsed(entry) for character, _, entry in entries}


def _parsed(entry: str) -> tuple[str, tuple[Context, ...]]:
    usual, *rest = entry.split(";")
    found: list[Context] = []
    for reading, *conditions in (part.split() for part in rest):
        sides: dict[str, list[str]] = {"<": [], ">": []}
        side = ">"
        for word in conditions:
            side, word = (word[0], word[1:]) if word[0] in sides else (side, word)
            if word and word != "&":
                sides[side].append(word)
        found.append((reading, "&" in conditions, tuple(sides["<"]), tuple(sides[">"])))
    return usual.strip(), tuple(found)


def in_context(text: str, place: int, borders: Collection[int]) -> str:
    """Reading of the character at a place of a phrase whose words end at `borders`; empty if not in the table."""
    entry = contexts().get(text[place])
    if entry is None:
        return ""
    before, after = text[:place], text[place + 1 :]
    for reading, both, left, right in entry[1]:
        if both:
            if (not left or before.endswith(left)) and (not right or after.startswith(right)):
                return reading
        elif any(after.startswith(word) and place + 1 + len(word) in borders for word in right) or any(
            before.endswith(word) and place - len(word) in borders for word in left
        ):
            return reading
    return entry[0]
