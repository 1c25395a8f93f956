"""Values that a script gives its lines, as text or JSON, checked once for marks, tables and casts.

Every function takes the value and its name, and raises ValueError with the rule it breaks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.scripts.lines import tidy

SPEEDS = (0.4, 3.0)
PAUSES = (0.0, 60.0)  # seconds
SEEDS = (0, 2**31 - 1)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}", re.ASCII)


def number(value: Any, low: float, high: float) -> float:
    """A number of [low, high]; text must be plain digits with a dot."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")
    if not low <= value <= high:
        raise ValueError(f"not in {low:g} to {high:g}")
    return float(value)


def speed(value: Any) -> float:
    """A factor."""
    return number(value, *SPEEDS)


def pause(value: Any) -> float:
    """Seconds."""
    return number(value, *PAUSES)


def seed(value: Any) -> int:
    """A whole number."""
    found = number(value, *SEEDS)
    if found != int(found):
        raise ValueError("not a whole number")
    return int(found)


def lang(value: Any) -> str:
    """A code of a language that is read."""
    from voice.columns import LANGUAGES  # here, because of pandas behind it: most scripts say no language

    name = text(value).casefold()
    if name not in LANGUAGES:
        raise ValueError(f"not one of {', '.join(LANGUAGES)}")
    return name


def text(value: Any) -> str:
    """Words in one line."""
    if not isinstance(value, str):
        raise ValueError("not text")
    value = tidy(value)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("holds half of a character")
    return value


def voice(value: Any) -> str:
    """A name of a voice: it becomes part of paths."""
    from voice.columns import ID

    name = text(value)
    if not re.fullmatch(ID, name) or len(name) > 100:
        raise ValueError("not a name of a voice: small letters, digits, . _ -")
    return name


def reference(value: Any, folder: Path) -> str:
    """The path of a file below `folder`, joined to it. Links that lead out of the folder are refused, too."""
    written = text(value).replace("\\", "/")
    path = PurePosixPath(written)
    if not path.parts:
        raise ValueError("not a path of a file")
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise ValueError(f"leaves the folder {folder or '.'}")
    try:
        found = (folder / path).resolve()
        if not found.is_relative_to(folder.resolve()):
            raise ValueError(f"leaves the folder {folder}")
        if not found.is_file():
            raise ValueError(f"no such file in {folder}")
    except (OSError, RuntimeError):  # a name that is too long, links in a circle
        raise ValueError(f"no such file in {folder}") from None
    return os.fspath(folder / path)


# What a mark, a column or a cast may say of a line, by its name; the folder is that of the references.
FIELDS: dict[str, Callable[[Any, Path], Any]] = {
    "voice": lambda value, folder: voice(value),
    "lang": lambda value, folder: lang(value),
    "ref": reference,
    "ref_text": lambda value, folder: text(value),
    "speed": lambda value, folder: speed(value),
    "seed": lambda value, folder: seed(value),
}
