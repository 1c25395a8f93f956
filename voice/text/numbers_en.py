"""English numbers in words: cardinals, ordinals, years, decimals, fractions and digit strings."""

from __future__ import annotations

from functools import lru_cache

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ["", " thousand", " million", " billion", " trillion"]
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_LONGEST = 15  # longer digit strings are codes, read digit by digit
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{_SMALL[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS[rest // 10])
        rest %= 10
    if rest:
        words.append(_SMALL[rest])
    return " ".join(words)


@lru_cache(maxsize=4096)
def _words(number: int) -> str:
    if number == 0:
        return _SMALL[0]
    groups: list[str] = []
    for scale in _SCALES:
        number, group = divmod(number, 1000)
        if group:
            groups.append(_below_thousand(group) + scale)
    return " ".join(reversed(groups))


def digits(text: str) -> str:
    """ "007" -> "zero zero seven"."""
    return " ".join(_SMALL[int(digit)] for digit in text if digit in "0123456789")


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
    head, _, last = _words(int(text)).rpartition(" ")
    if last in _ORDINALS:
        last = _ORDINALS[last]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + ("h" if last.endswith("t") else "th")
    return f"{head} {last}".strip()


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
    return words[:-1] + "ies" if words.endswith("y") else words + ("es" if words.endswith(("x", "ch")) else "s")


def fraction(above: str, below: str) -> str:
    """ "3", "4" -> "three quarters"; large denominators as "over"."""
    if not 2 <= int(below) <= 20 or int(above) > 99:
        return f"{cardinal(above)} over {cardinal(below)}"
    name = {"2": "half", "4": "quarter"}.get(str(int(below)), ordinal(below))
    if above == "1":
        return f"one {name}"
    return f"{cardinal(above)} {'halves' if name == 'half' else plural(name)}"


def roman(text: str) -> int:
    """Value of a well-formed Roman numeral below 400, 0 for other letters: "XIV" -> 14, "IIX" -> 0."""
    values = [_ROMAN.get(letter, 0) for letter in text]
    total = sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
    return total if text and 0 < total < 400 and _roman_of(total) == text else 0


def _roman_of(number: int) -> str:
    written = ""
    for value, letters in ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV")):
        count, number = divmod(number, value)
        written += letters * count
    return written + "I" * number
