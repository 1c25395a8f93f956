"""Traditional characters as simplified ones, character for character, by OpenCC."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from importlib import import_module
from typing import Any

from voice.text.segment_zh import own_pattern

# OpenCC keeps 著 because Chinese of Taiwan also writes the particle 着 so; these words really have 著.
_REALLY_ZHU = re.compile(r"(?<![名显昭原译编专巨卓土论合所遗拙新])著(?![名作述称者录书有])")


@cache
def _converter() -> Any:
    return import_module("opencc").OpenCC("t2s")


def to_simplified(text: str, own: Collection[str] = ()) -> str:
    """Text in simplified characters, as long as before; words of `own` stay as the user wrote them."""
    if not own:
        return _convert(text)
    pieces = own_pattern(frozenset(own)).split(text)
    return "".join(piece if piece in own else _convert(piece) for piece in pieces)


def _convert(text: str) -> str:
    if text.isascii():
        return text
    converted = str(_converter().convert(text))
    if len(converted) != len(text):
        converted = "".join(_single(character) for character in text)
    return converted if converted == text else _REALLY_ZHU.sub("着", converted)


def _single(character: str) -> str:
    converted = str(_converter().convert(character))
    return converted if len(converted) == 1 else character
