"""English amounts in words: money, measured quantities, dates and times of day."""

from __future__ import annotations

import re

from voice.text.english_names import MONTHS, OFF, Replacement, full_stop, said
from voice.text.numbers_en import cardinal, ordinal, plural, year

NUMBER = r"(?<!\d)(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_MONEY = {
    "$": ("dollar", "cent"), "£": ("pound", "pence"), "€": ("euro", "cent"), "¥": ("yen", ""), "₹": ("rupee", "paisa"),
    "₩": ("won", ""), "₽": ("ruble", ""), "฿": ("baht", ""), "₿": ("bitcoin", ""), "₺": ("lira", ""),
}  # fmt: skip
_CODES = {
    "USD": "US dollar", "EUR": "euro", "GBP": "pound", "JPY": "yen", "CNY": "yuan", "RMB": "yuan", "INR": "rupee",
    "CAD": "Canadian dollar", "AUD": "Australian dollar", "CHF": "Swiss franc", "HKD": "Hong Kong dollar", "KRW": "won",
}  # fmt: skip
_NATIONS = {
    "US": "US ",
    "A": "Australian ",
    "C": "Canadian ",
    "CA": "Canadian ",
    "HK": "Hong Kong ",
    "NZ": "New Zealand ",
}
_SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "mil": "million", "mm": "million", "b": "billion",
    "bn": "billion", "tn": "trillion", "t": "trillion",
}  # fmt: skip
_SAME = ("yen", "yuan", "won", "baht", "hertz", "gigahertz", "megahertz", "kilohertz", "terahertz", "lux")
_PREFIXES = {"k": "kilo", "M": "mega", "G": "giga", "T": "tera", "m": "milli", "μ": "micro", "n": "nano"}
_UNITS = {
    "mph": "mile per hour", "lbs": "pound", "lb": "pound", "oz": "ounce", "ft": "foot", "yd": "yard", "mi": "mile",
    "min": "minute", "mins": "minute", "hr": "hour", "hrs": "hour", "h": "hour", "s": "second", "sec": "second",
    "secs": "second", "°C": "degree Celsius", "°F": "degree Fahrenheit", "℃": "degree Celsius",
    "℉": "degree Fahrenheit", "°": "degree", "fps": "frame per second", "rpm": "revolution per minute",
    "bpm": "beat per minute", "ppm": "part per million", "px": "pixel", "gal": "gallon", "tbsp": "tablespoon",
    "tsp": "teaspoon", "sq ft": "square foot", "ha": "hectare", "kcal": "kilocalorie", "dB": "decibel",
    "kPa": "kilopascal", "hPa": "hectopascal", "cm": "centimeter", "dl": "deciliter", "cl": "centiliter",
    "mAh": "milliamp hour", "Ah": "amp hour", "mol": "mole", "Ω": "ohm", "kΩ": "kiloohm", "kph": "kilometer per hour",
}  # fmt: skip
_BASES = {
    "m": "meter", "g": "gram", "l": "liter", "L": "liter", "W": "watt", "V": "volt", "Hz": "hertz", "B": "byte",
    "Wh": "watt hour", "J": "joule", "A": "amp", "s": "second", "eV": "electron volt",
}  # fmt: skip
# Single letters that mean other things unless they touch their number.
_TOUCHING = ("A", "J", "B", "KB")
_PER = {
    "h": "hour", "hr": "hour", "s": "second", "sec": "second", "min": "minute", "d": "day", "m²": "square meter",
    "kg": "kilogram", "l": "liter", "L": "liter", "mo": "month", "yr": "year", "ml": "milliliter", "km": "kilometer",
    "lb": "pound", "gal": "gallon",
} | {word: word for word in "day week month year hour night minute second person page user".split()}  # fmt: skip


def _all_units() -> dict[str, str]:
    units = {base: name for base, name in _BASES.items() if base not in ("l", "eV", "Wh")}
    for base, name in _BASES.items():
        units |= {
            prefix + base: long + name for prefix, long in _PREFIXES.items() if prefix + base != "ml" or base == "l"
        }
    units |= {f"{prefix}bps": f"{long}bit per second" for prefix, long in (("k", "kilo"), ("M", "mega"), ("G", "giga"))}
    units |= {f"{prefix}b": f"{long}bit" for prefix, long in (("M", "mega"), ("G", "giga"))}
    units |= {"KB": "kilobyte", "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte"} | _UNITS
    for short in ("m", "km", "cm", "mm", "ft"):
        name = units[short]
        units |= {f"{short}²": f"square {name}", f"{short}³": f"cubic {name}", f"{short}2": f"square {name}"}
    return units


UNITS = _all_units()
UNIT_CHOICE = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_PER_CHOICE = "|".join(re.escape(unit) for unit in sorted(_PER, key=len, reverse=True))
_SIGN_CHOICE = "".join(_MONEY)
# "a 40 W bulb": after such a word and before a noun the unit stays singular.
_SINGULAR_BEFORE = re.compile(r"\b(?:a|an|this|that|his|her|my|your|our|their|its|every|each)\s+$", re.IGNORECASE)
_SINGULAR_AFTER = re.compile(
    r"\s(?!(?:of|in|at|on|is|was|are|were|to|for|and|or|per|off|from|with|by|the|a|an|more|less|each|it|long|tall|wide|"
    r"high|deep|ago|later|away|outside|than|if|when|as|but|thick|old|today|now|every)\b)[a-z]{3,}"
)
_MONTH_CHOICE = "|".join(f"{month}|{month[:3]}" for month in MONTHS) + "|Sept"
_YEAR = r"(?:1\d\d\d|20\d\d)"


def _modifies(m: re.Match[str]) -> bool:
    return bool(_SINGULAR_BEFORE.search(m.string, 0, m.start()) and _SINGULAR_AFTER.match(m.string, m.end()))


def counted(name: str, amount: str) -> str:
    """A unit's name after an amount: ("foot", "5") -> "feet"; ("mile per hour", "1") -> "mile per hour"."""
    head, separator, rest = name.partition(" per ")
    if amount == "1" or head.split()[-1] in _SAME:
        return name
    if head.startswith("degree"):
        return name.replace("degree", "degrees", 1)
    return (head[:-4] + "feet" if head.endswith("foot") else plural(head)) + separator + rest


def _money(m: re.Match[str]) -> str:
    name, small = _MONEY[m["sign"]]
    name = _NATIONS.get(m["nation"] or "", "") + name
    amount, until = m["amount"].replace(",", ""), m["until"]
    whole, _, cents = amount.partition(".")
    singular = _modifies(m)
    if m["scale"] or until or (cents and (len(cents) != 2 or not small)):
        short = (m["scale"] or "").strip()
        scale = f" {_SCALES.get(short.lower(), short)}" if short else ""
        last = f" to {cardinal(until)}" if until else ""
        return said(f"{cardinal(amount)}{last}{scale} {name if singular else counted(name, '2')}")
    parts = [] if int(whole) == 0 and cents else [f"{cardinal(whole)} {name if singular else counted(name, whole)}"]
    if cents and int(cents):
        count = str(int(cents))
        coin = ("penny" if count == "1" else "pence") if small == "pence" else counted(small, count)
        parts.append(f"{cardinal(count)} {coin}")
    return said(" and ".join(parts or [f"zero {counted(name, '0')}"]))


def _money_after(m: re.Match[str]) -> str:
    name = _CODES[m[2]] if m[2] in _CODES else "cent" if m[2] == "¢" else _MONEY[m[2]][0]
    return said(f"{cardinal(m[1])} {counted(name, m[1])}")


def _measure(m: re.Match[str]) -> str:
    unit, amount = m["unit"], m["amount"]
    if unit in _TOUCHING and m.string[m.end("amount")] != unit[0]:
        return m[0]
    name = UNITS[unit] + (f" per {_PER[m['per']]}" if m["per"] else "")
    singular = m["gap"] == "-" or _modifies(m)
    return said(f"{cardinal(amount)} {name if singular else counted(name, amount)}")


def _height(m: re.Match[str]) -> str:
    return said(f"{cardinal(m[1])} foot {cardinal(m[2])}")


def _inches(m: re.Match[str]) -> str:
    if m.string.count('"', 0, m.start()) % 2:
        return m[0]
    return said(f"{cardinal(m[1])} {'inch' if m[1] == '1' or _modifies(m) else 'inches'}")


def _half_day(m: re.Match[str], letter: str, inner: str, last: str) -> str:
    """The end of "5 p.m.": its letters, and the dot if that closes the sentence too."""
    return f" {letter.upper()} M{OFF}" + (last if last and (not inner or full_stop(m)) else "")


def _time(m: re.Match[str]) -> str:
    hour, minute = int(m[1]), int(m[2])
    spoken = cardinal(str(hour))
    if minute:
        spoken += f" oh {cardinal(str(minute))}" if minute < 10 else f" {cardinal(str(minute))}"
    elif not m[4]:
        spoken += " o'clock" if 1 <= hour <= 12 else " hundred"
    if m[3]:
        spoken += f" and {cardinal(str(int(m[3])))} seconds"
    return said(spoken)[:-1] + (_half_day(m, m[4], m[5], m[6]) if m[4] else OFF)


def _hour(m: re.Match[str]) -> str:
    return said(cardinal(m[1]))[:-1] + _half_day(m, m[2], m[3], m[4])


def _dated(month: int, day: int, of_year: str, otherwise: str) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return otherwise
    return said(f"{MONTHS[month - 1]} {ordinal(str(day))} {year(of_year)}")


def _slashed(m: re.Match[str]) -> str:
    first, second = int(m[1]), int(m[2])
    if first > 12:
        first, second = second, first
    return _dated(first, second, m[3], m[0])


def _month(name: str) -> str:
    return next(month for month in MONTHS if month.startswith(name[:3]))


def _month_day(m: re.Match[str]) -> str:
    if not 1 <= int(m[2]) <= 31:
        return m[0]
    return said(f"{_month(m[1])} {ordinal(m[2])}") + (m[3] + said(year(m[4])) if m[4] else "")


def _day_month(m: re.Match[str]) -> str:
    if not 1 <= int(m[2]) <= 31:
        return m[0]
    # Without "of" or an article the date stands alone ("4 July") and gets both.
    article = m[1] or ("" if m[3] else said("the"))
    return article + said(f" {ordinal(m[2])} of {_month(m[4])}") + (m[5] + said(year(m[6])) if m[6] else "")


DATES: list[tuple[str, str | Replacement, bool]] = [
    (r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", lambda m: _dated(int(m[2]), int(m[3]), m[1], m[0]), True),
    (rf"(?<![\d/])(\d{{1,2}})/(\d{{1,2}})/({_YEAR})(?![\d/])", _slashed, True),
    (
        rf"(?<![\d.])(\d{{1,2}})\.(\d{{1,2}})\.({_YEAR})(?![\d]|\.\d)",
        lambda m: _dated(int(m[2]), int(m[1]), m[3], m[0]),
        True,
    ),
    (
        rf"\b({_MONTH_CHOICE})\s{{1,3}}(\d{{1,2}})(?:st|nd|rd|th)?\b(?![:/%-]\d|[.,]\d|\s?[%°])(?:(,?\s)({_YEAR})\b)?",
        _month_day,
        True,
    ),
    (
        rf"\b([Tt]he\s)?(?<![\d.,:/-])(\d{{1,2}})(?:st|nd|rd|th)?\s(of\s)?({_MONTH_CHOICE})\b(?:(,?\s)({_YEAR})\b)?",
        _day_month,
        True,
    ),
    (r"\b9/11\b", lambda _: said("nine eleven"), True),
    (r"\b((?:in|since|year|until|from)\s)(10\d\d)\b(?![,.]\d)", lambda m: m[1] + said(year(m[2])), False),
    (rf"\b({_YEAR})-(\d\d)\b(?!-)", lambda m: said(f"{year(m[1])} to {cardinal(m[2])}"), True),
    (r"(\d{1,2}:\d\d(?:\s?[ap]\.?m\.?)?)\s?-\s?(?=\d{1,2}:\d\d)", lambda m: f"{m[1]} {said('to')}", False),
    (
        r"\b([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?:\s?([ap])(\.?)m\b(\.?)|(?![\w:]))",
        _time,
        False,
    ),
    (r"\b(\d{1,2})\s?([ap])(\.?)m\b(\.?)", _hour, False),
    (r"(?<![\d.])\b([12]\d)(\d0)'?s\b", lambda m: said(plural(year(m[1] + m[2]))), True),
    (r"'?\b([2-9]0)'?s\b(?!')", lambda m: said(plural(cardinal(m[1]))), True),
]
MONEY: list[tuple[str, str | Replacement, bool]] = [
    (rf"(?<![\w.])-(?=[{_SIGN_CHOICE}]\s?\d)", said("minus"), True),
    (
        rf"(?:\b(?P<nation>US|A|C|CA|HK|NZ))?(?P<sign>[{_SIGN_CHOICE}])\s?(?P<amount>{NUMBER})"
        rf"(?:-[{_SIGN_CHOICE}]?(?P<until>{NUMBER}))?"
        r"(?P<scale>\s(?:hundred|thousand|million|billion|trillion)\b|\s?(?:k|m|mn|mil|mm|bn?|tn?)\b)?",
        _money,
        False,
    ),
    (rf"({NUMBER})\s?([{_SIGN_CHOICE}¢]|(?:{'|'.join(_CODES)})\b)", _money_after, True),
    (rf"(?<=\x1f)\s?/\s?({_PER_CHOICE})\b", lambda m: said(f"per {_PER[m[1]]}"), True),
]
MEASURES: list[tuple[str, str | Replacement, bool]] = [
    (r"(?<![\w'.])(\d)'\s?(\d{1,2})(?:\"|''|\b)(?!\w)", _height, True),
    (r"(?<![\w.])(\d{1,3})\"(?!\w)", _inches, True),
    (
        rf"(?P<amount>{NUMBER})(?P<gap>\s|-)?(?P<unit>{UNIT_CHOICE})(?:/(?P<per>{_PER_CHOICE}))?(?![A-Za-z0-9²³]|/[a-z])",
        _measure,
        True,
    ),
]
