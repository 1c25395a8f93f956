"""English numbers in words: cardinals, ordinals, years, decimals, fractions and digit strings."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import inflect

_DIGITS = "zero one two three four five six seven eight nine".split()
_LONGEST = 15  # longer digit strings are codes, read digit by digit
_LOCK = threading.Lock()


@cache
def _engine() -> inflect.engine:
    import inflect

    return inflect.engine()


def _words(number: int) -> str:
    # The engine keeps state while it builds a number, so only one thread may use it.
    with _LOCK:
        spoken: Any = _engine().number_to_words(str(number), andword="", comma="")
    return " ".join(str(spoken).replace("-", " ").split())


def digits(text: str) -> str:
    """ "007" -> "zero zero seven"."""
    return " ".join(_DIGITS[int(digit)] for digit in text if digit in "0123456789")


def cardinal(text: str) -> str:
    """ "12" -> "twelve"; "3.05" -> "three point zero five"; leading zeros or too long: digit by digit."""
    whole, _, fraction = text.replace(",", "").partition(".")
    coded = len(whole) > _LONGEST or (len(whole) > 1 and whole.startswith("0"))
    spoken = digits(whole) if coded else _words(int(whole or "0"))
    return f"{spoken} point {digits(fraction)}" if fraction else spoken


def ordinal(text: str) -> str:
    """ "21" -> "twenty first"."""
    if len(text) > _LONGEST:
        return digits(text)
    cardinal_words = _words(int(text))
    with _LOCK:
        spoken = _engine().ordinal(cardinal_words)
    return " ".join(str(spoken).replace("-", " ").split())


def year(text: str) -> str:
    """Four digits as a year: "1999" -> "nineteen ninety nine", "1905" -> "nineteen oh five"."""
    high, low = int(text[:2]), int(text[2:])
    if high % 10 == 0 and low < 10:
        return _words(int(text))
    if low == 0:
        return f"{_words(high)} hundred"
    return f"{_words(high)} oh {_words(low)}" if low < 10 else f"{_words(high)} {_words(low)}"


def plural(words: str) -> str:
    """Plural of the last word: "nineteen eighty" -> "nineteen eighties"."""
    return words[:-1] + "ies" if words.endswith("y") else words + ("es" if words.endswith("x") else "s")


def fraction(above: str, below: str) -> str:
    """ "3", "4" -> "three quarters"; large denominators as "over"."""
    if not 2 <= int(below) <= 20 or int(above) > 99:
        return f"{cardinal(above)} over {cardinal(below)}"
    name = {"2": "half", "4": "quarter"}.get(below, ordinal(below))
    if above == "1":
        return f"one {name}"
    return f"{cardinal(above)} {'halves' if name == 'half' else plural(name)}"
