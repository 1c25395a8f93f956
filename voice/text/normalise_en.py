"""English text made speakable: abbreviations, amounts, dates, times, units and signs written out in words."""

from __future__ import annotations

import re
from collections.abc import Callable

from voice.text.numbers_en import cardinal, digits, fraction, ordinal, plural, year

_NUMBER = r"(?<!\d)(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_ABBREVIATIONS = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "prof": "professor", "st": "saint",
    "vs": "versus", "etc": "et cetera", "jr": "junior", "sr": "senior", "capt": "captain",
    "col": "colonel", "gen": "general", "rev": "reverend", "hon": "honorable", "lt": "lieutenant",
    "sgt": "sergeant", "mt": "mount", "approx": "approximately",
}  # fmt: skip
_MONEY = {
    "$": ("dollar", "cent"),
    "£": ("pound", "pence"),
    "€": ("euro", "cent"),
    "¥": ("yen", ""),
    "￥": ("yen", ""),
}
_UNITS = {
    "km/h": "kilometer per hour", "m/s": "meter per second", "km": "kilometer", "cm": "centimeter",
    "mm": "millimeter", "kg": "kilogram", "mg": "milligram", "ml": "milliliter", "kHz": "kilohertz",
    "Hz": "hertz", "GHz": "gigahertz", "MHz": "megahertz", "KB": "kilobyte", "MB": "megabyte",
    "GB": "gigabyte", "TB": "terabyte", "dB": "decibel", "m²": "square meter", "m³": "cubic meter",
    "km²": "square kilometer", "mph": "mile per hour", "lbs": "pound", "lb": "pound", "oz": "ounce",
    "ft": "foot", "ms": "millisecond", "min": "minute", "hr": "hour", "°C": "degree Celsius",
    "°F": "degree Fahrenheit", "℃": "degree Celsius", "℉": "degree Fahrenheit", "°": "degree",
    "g": "gram", "m": "meter", "L": "liter", "W": "watt", "V": "volt",
}  # fmt: skip
_MONTHS = "January February March April May June July August September October November December".split()
_SIGNS = {
    "%": " percent ", "&": " and ", "+": " plus ", "=": " equals ", "@": " at ", "×": " times ",
    "÷": " divided by ", "±": " plus or minus ", "°": " degrees ", "<": " less than ",
    ">": " greater than ", "#": " number ", "~": " about ", "£": " pounds ", "€": " euros ",
    "$": " dollars ", "²": " squared ", "³": " cubed ", "/": " slash ", "§": " section ",
}  # fmt: skip
_UNIT_CHOICE = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))


def _money(m: re.Match[str]) -> str:
    name, small = _MONEY[m["sign"]]
    whole, _, cents = m["amount"].replace(",", "").partition(".")
    if m["scale"]:
        return f" {cardinal(m['amount'])} {m['scale'].strip()} {name}s "
    if cents and (len(cents) != 2 or not small):
        return f" {cardinal(m['amount'])} {name}s "
    parts = [] if int(whole) == 0 and cents else [f"{cardinal(whole)} {_counted(name, whole)}"]
    if cents and int(cents):
        parts.append(f"{cardinal(str(int(cents)))} {small if small == 'pence' else _counted(small, str(int(cents)))}")
    return f" {' and '.join(parts or [f'zero {name}s'])} "


def _counted(name: str, amount: str) -> str:
    if amount == "1" or name.endswith("hertz"):
        return name
    head, separator, rest = name.partition(" per ")
    if head.startswith("degree"):
        return name.replace("degree", "degrees", 1)
    return ("feet" if head == "foot" else plural(head)) + separator + rest


def _time(m: re.Match[str]) -> str:
    hour, minute = int(m[1]), int(m[2])
    tail = f" {m[4][0].upper()} M" if m[4] else ""
    spoken = cardinal(str(hour))
    if minute:
        spoken += f" oh {cardinal(str(minute))}" if minute < 10 else f" {cardinal(str(minute))}"
    elif not tail:
        spoken += " o'clock" if 1 <= hour <= 12 else " hundred"
    if m[3]:
        spoken += f" and {cardinal(str(int(m[3])))} seconds"
    return f" {spoken}{tail} "


def _date(m: re.Match[str]) -> str:
    month, day = int(m[2]), int(m[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return m[0]
    return f" {_MONTHS[month - 1]} {ordinal(str(day))} {year(m[1])} "


def _full_stop(m: re.Match[str]) -> str:
    """The dot of an abbreviation that ends the text also ends the sentence."""
    return "." if m.end() == len(m.string.rstrip()) else ""


def _plain(m: re.Match[str]) -> str:
    number = m[0]
    # Four bare digits between 1100 and 2099 are read in pairs, the way years and house numbers are.
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", number):
        return f" {year(number)} "
    return f" {cardinal(number)} "


_RULES: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"\bhttps?,?//", ""),
    (r"\bwww\.", "W W W dot "),
    (r"(?<![\w.])\.(?=[A-Za-z])", " dot "),
    (r"\be\.\s?g\.", "for example"),
    (r"\bi\.\s?e\.", "that is"),
    (rf"\b({'|'.join(_ABBREVIATIONS)})\.(?=\s|,|$)", lambda m: _ABBREVIATIONS[m[1].lower()] + _full_stop(m)),
    (r"\bno\.\s?(?=\d)", "number "),
    (r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", _date),
    (r"\b([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?\s?([ap])\.?m\b\.?", _time),
    (r"\b([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?()\b", _time),
    (r"\b(\d{1,2})\s?([ap])\.?m\b\.?", lambda m: f" {cardinal(m[1])} {m[2].upper()} M "),
    (
        r"(?<![A-Za-z0-9])(?:[A-Za-z]\.){2,}",
        lambda m: " ".join(m[0].upper().rstrip(".").split(".")) + _full_stop(m) + " ",
    ),
    (
        rf"(?P<sign>[$£€¥￥])\s?(?P<amount>{_NUMBER})(?P<scale>\s(?:hundred|thousand|million|billion|trillion)\b)?",
        _money,
    ),
    (
        r"\b(?:\+?1[- ])?\d{3}-(?:\d{3}-)?\d{4}\b",
        lambda m: " " + ", ".join(map(digits, m[0].split("-"))) + " ",
    ),
    (r"(?<![\d.])\b([12]\d)(\d0)'?s\b", lambda m: f" {plural(year(m[1] + m[2]))} "),
    (r"'?\b([2-9]0)'?s\b", lambda m: f" {plural(cardinal(m[1]))} "),
    (r"\b24/7\b", " twenty four seven "),
    (r"(?<=\d)\^(?=\d)", " to the power of "),
    (r"(?<=\d):(?=\d)", " to "),
    (r"(?<=[A-Za-z])-(?=\d)", " "),
    (r"(?<=[A-Za-z])#", " sharp "),
    (r"#(?!\s?\d)", " hash "),
    (r"(?<=\d)\s-\s(?=\d)", " minus "),
    (r"\b(\d+)(?:st|nd|rd|th)\b", lambda m: f" {ordinal(m[1])} "),
    (rf"(?<![\w.])-(?={_NUMBER})", " minus "),
    (
        rf"({_NUMBER})\s?({_UNIT_CHOICE})(?![A-Za-z0-9])",
        lambda m: f" {cardinal(m[1])} {_counted(_UNITS[m[2]], m[1])} ",
    ),
    (rf"({_NUMBER})(?:-|\s?~\s?)(?={_NUMBER})", lambda m: f"{m[1]} to "),
    (
        r"(?<![\d/.])(\d{1,3})/(\d{1,3})(?![\d/.])",
        lambda m: f" {fraction(m[1], m[2])} " if int(m[2]) else m[0],
    ),
    (r"\b(\d+)((?:\.\d+){2,})\b", lambda m: " " + " point ".join(map(cardinal, m[0].split("."))) + " "),
    (r"\b([A-Za-z0-9-]+)\.(com|org|net|edu|gov|io|ai|cn|uk)\b", lambda m: f"{m[1]} dot {m[2]}"),
    (rf"{_NUMBER}", _plain),
]
# Units and scales keep their case (MB is not mb); everything else is read in either case.
_COMPILED = [(re.compile(rule, 0 if _UNIT_CHOICE in rule else re.IGNORECASE), to) for rule, to in _RULES]


def spell_out(text: str) -> str:
    """Cleaned English text with every number and readable sign replaced by words; other signs stay."""
    for rule, replacement in _COMPILED:
        text = rule.sub(replacement, text)
    for sign, words in _SIGNS.items():
        text = text.replace(sign, words)
    return re.sub(r"\s+", " ", text).strip()
