"""Chinese numbers in characters: cardinals by cn2an, years and codes digit by digit."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module
from typing import Any

_DIGITS = "零一二三四五六七八九"
_LONGEST = 16  # cn2an's limit; longer ones are codes


@cache
def _converter() -> Any:
    return import_module("cn2an.an2cn").An2Cn()


def digits(text: str) -> str:
    """ "2024" -> "二零二四"."""
    return "".join(_DIGITS[int(digit)] for digit in text if digit in "0123456789")


def telephone(text: str) -> str:
    """Digit by digit with 幺 for one, as telephone numbers and codes are read."""
    return digits(text).replace("一", "幺")


@lru_cache(maxsize=4096)
def cardinal(text: str) -> str:
    """ "12.50" -> "十二点五零"; leading zeros or too long: digit by digit."""
    whole, _, fraction = text.partition(".")
    if len(whole) > _LONGEST or (len(whole) > 1 and whole.startswith("0")):
        spoken = digits(whole)
    else:
        spoken = str(_converter().an2cn(whole, "low"))
        if len(whole) in (4, 5, 9) and spoken.startswith("二"):
            spoken = "两" + spoken[1:]  # 两千, 两万, 两亿
    return f"{spoken}点{digits(fraction)}" if fraction else spoken


def counted(text: str) -> str:
    """A number before a measure word: exactly 2 is 两."""
    return "两" if text == "2" else cardinal(text)


def unexplained(text: str) -> str:
    """A number nothing around it explains.

    Short and round ones count, a year is read digit by digit, and other long ones are codes (666, 12306).
    """
    if "." in text or len(text) < 3 or (text.endswith("00") and text[0] != "0" and len(text) <= _LONGEST):
        return cardinal(text)
    if len(text) == 4 and text[:2] in ("19", "20"):
        return digits(text)
    return telephone(text)
