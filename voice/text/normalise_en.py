"""English text made speakable: abbreviations, amounts, dates, times, units and signs written out in words."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from voice.text.english_amounts import DATES, MEASURES, MONEY, NUMBER
from voice.text.english_names import ABBREVIATIONS, ADDRESSES, OFF, ON, ROMANS, SHORT_FORMS, Replacement, said
from voice.text.numbers_en import cardinal, digits, fraction, ordinal, year

_Rule = tuple[str, str | Replacement, bool]
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρστυφχψω",
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon "
            "phi chi psi omega"
        ).split(),
        strict=True,
    )
)
_SIGNS = {
    "%": "percent", "&": "and", "+": "plus", "=": "equals", "@": "at", "×": "times", "÷": "divided by",
    "±": "plus or minus", "°": "degrees", "<": "less than", ">": "greater than", "#": "number", "~": "about",
    "£": "pounds", "€": "euros", "$": "dollars", "¥": "yen", "¢": "cents", "²": "squared", "³": "cubed", "/": "slash",
    "§": "section", "≤": "less than or equal to", "≥": "greater than or equal to", "≠": "not equal to",
    "≈": "approximately", "√": "square root of", "∞": "infinity", "→": "to", "‰": "per thousand", "₹": "rupees",
    "₩": "won", "¬": "not", "∑": "sum of", "∈": "in",
}  # fmt: skip


def _telephone(m: re.Match[str]) -> str:
    plus = "plus " if m[0].startswith("+") else ""
    return said(plus + ", ".join(map(digits, re.findall(r"\d+", m[0]))))


def _plain(m: re.Match[str]) -> str:
    number = m[0]
    # Four bare digits between 1100 and 2099 are read in pairs, the way years and house numbers are.
    return said(year(number) if re.fullmatch(r"1[1-9]\d\d|20\d\d", number) else cardinal(number))


def _part(m: re.Match[str]) -> str:
    if not int(m[2]):
        return m[0]
    return said(f"{cardinal(m[1])} {cardinal(m[2])}" if m[1] == m[2] else fraction(m[1], m[2]))


def _mixed(m: re.Match[str]) -> str:
    return f"{m[1]} {said('and')} {m[2]}/{m[3]}"


def _dotted(m: re.Match[str]) -> str:
    return said(" point ".join(map(cardinal, m[0].split("."))))


_WORDS: list[_Rule] = [
    (r"\bw/o\b", said("without"), True),
    (r"\bw/(?=\s|\w)", said("with"), True),
    (r"\bb/c\b", said("because"), True),
    (r"\band/or\b", "and or", False),
    (r"\b([CFJAGD])#(?!\w)", lambda m: m[1] + said("sharp"), True),
    (r"#(?=[^\W\d])", said("hashtag"), True),
    (r"(?<=[A-Za-z0-9_])\.(?=[a-z_])", said("dot"), True),
    (r"(?<![\w.])\.(?=[A-Za-z])", said("dot"), True),
]
_CODES: list[_Rule] = [
    (r"(?<![\w+.])\+\d{1,3}(?:[ -]?\(\d{1,5}\)|[ -]\d{2,5})(?:[ -]\d{2,5}){1,4}(?![\w-])", _telephone, True),
    (r"(?<![\w+.-])(?:1[- ])?(?:\(\d{3}\)\s?|\d{3}[- ])?\d{3}-\d{4}(?![\w-])", _telephone, True),
    (r"\b24/7\b", said("twenty four seven"), True),
]
_NUMBERS: list[_Rule] = [
    (r"(?<!\d)(?<!\d-)\d+(?:-\d+){2,}(?![\d-])", _telephone, True),
    (r"(?<=[\dA-Za-z])\s?\^\s?(?=[\dA-Za-z])", said("to the power of"), True),
    (r"(?<=\d)\s-\s(?=\d)", said("minus"), True),
    (rf"(?<=\d)-(?={NUMBER}\s?=)", said("minus"), True),
    (r"(?<=\d)\s/\s(?=\d)", said("divided by"), True),
    (r"(?<=\d)\s?\*\s?(?=\d)", said("times"), True),
    (rf"(?<=\d)(?:-|\s?~\s?)(?={NUMBER})", said("to"), True),
    (r"(?<=\d):(?=\d)", said("to"), True),
    (r"(?<=[A-Za-z])-(?=\d)", " ", True),
    (r"\b(\d+)(?:st|nd|rd|th)\b-?", lambda m: said(ordinal(m[1])), False),
    (rf"(?<![\w.])-(?={NUMBER})", said("minus"), True),
    *MEASURES,
    (
        r"(?<![\d/.,])(\d{1,4})\s(\d{1,2})/(\d{1,3})(?![\d/]|\.\d)",
        _mixed,
        True,
    ),
    (r"(?<![\d/.])(\d{1,3})/(\d{1,3})(?![\d/]|\.\d)", _part, True),
    (r"\b(\d+)((?:\.\d+){2,})\b", _dotted, True),
    (r"(?<![\w.])\.(\d+)(?![.\d])", lambda m: said(f"point {digits(m[1])}"), True),
    (r"(?<=\d)-(?=[A-Za-z])", " ", True),
    (NUMBER, _plain, True),
]
_GREEK_ALONE = r"(?<![\u0370-\u03ff])[α-ωΑ-Ω](?![\u0370-\u03ff])"


_Compiled = list[tuple[re.Pattern[str], str | Replacement]]


@cache
def _compiled() -> dict[str, _Compiled]:
    """Rules by what a text must hold for them to matter; compiled at the first text that needs any."""
    groups: dict[str, list[_Rule]] = {
        "dot": [*ADDRESSES, *ABBREVIATIONS],
        "roman": [ROMANS],
        "word": _WORDS,
        "digit": [*_CODES, *DATES, *MONEY, *_NUMBERS],
    }
    return {
        name: [(re.compile(rule, 0 if capitals else re.IGNORECASE), to) for rule, to, capitals in rules]
        for name, rules in groups.items()
    }


# Letters, spaces and marks alone need no rule, unless a dot may shorten a word or capitals may be a number.
_PLAIN_TEXT = re.compile(r"(?:[A-Za-z' ,!?…\-]|\.(?=\s|$))*$")
_BEFORE_DOT = re.compile(r"([A-Za-z]*)\.")
_MAY_BE_ROMAN = re.compile(r"\s[IVXLC]+\b")
_HAS_DIGIT = re.compile(r"\d")
_HAS_DOT = re.compile(r"[.@/:]")
_SIGN = re.compile("[" + re.escape("".join(_SIGNS)) + "]")
_LONE_GREEK = re.compile(_GREEK_ALONE)
_SPACES = re.compile(r"\s+")
_MOST_PASSES = 12


def spell_out(text: str) -> str:
    """Cleaned English text with every number and readable sign replaced by words; other signs stay."""
    return _collapsed(spell_out_marked(text))


def spell_out_marked(text: str) -> str:
    """The same with the words of rules between ON and OFF, which count as spaces."""
    if _needs_nothing(text):
        return text
    text = "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text if c not in (ON, OFF)
    )
    # What one pass writes may complete a pattern for the next; after a few passes nothing is left to do.
    for _ in range(_MOST_PASSES):
        text = _pass(text)
        plain = _collapsed(text)
        again = _pass(plain)
        if _collapsed(again) == plain:
            break
        # A pattern that sees only plain spaces loses the marks of the rules before.
        further = _pass(text)
        text = further if _collapsed(further) != plain else again
    return text


def _collapsed(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


def _needs_nothing(text: str) -> bool:
    if not _PLAIN_TEXT.match(text) or _MAY_BE_ROMAN.search(text):
        return False
    return not any(len(word) < 2 or word.lower() in SHORT_FORMS for word in _BEFORE_DOT.findall(text))


def _pass(text: str) -> str:
    if _HAS_DOT.search(text):
        text = _apply("dot", text)
    if _MAY_BE_ROMAN.search(text):
        text = _apply("roman", text)
    text = _apply("word", text)
    if _HAS_DIGIT.search(text):
        text = _apply("digit", text)
    text = _SIGN.sub(lambda m: said(_SIGNS[m[0]]), text)
    return _LONE_GREEK.sub(lambda m: said(_GREEK.get(m[0].lower(), m[0])), text)


def _apply(group: str, text: str) -> str:
    for pattern, replacement in _compiled()[group]:
        text = pattern.sub(replacement, text)
    return text
