"""What stands for other words in English text: abbreviations, Roman numerals, addresses and file names."""

from __future__ import annotations

import re
from collections.abc import Callable

from voice.text.english_words import known
from voice.text.numbers_en import cardinal, digits, ordinal, roman

Replacement = Callable[[re.Match[str]], str]
# Words put in by a rule stand between these two signs; both count as space for every pattern.
ON, OFF = "\x1e", "\x1f"

MONTHS = "January February March April May June July August September October November December".split()
_TITLES = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "prof": "professor", "st": "saint",
    "capt": "captain", "col": "colonel", "gen": "general", "rev": "reverend", "hon": "honorable", "lt": "lieutenant",
    "sgt": "sergeant", "mt": "mount", "sen": "senator", "gov": "governor", "messrs": "messers", "maj": "major",
    "cpl": "corporal", "supt": "superintendent", "ft": "fort",
}  # fmt: skip
_PLAIN = {
    "vs": "versus", "etc": "et cetera", "approx": "approximately", "dept": "department", "est": "established",
    "et al": "et al", "jr": "junior", "sr": "senior", "inc": "incorporated", "ltd": "limited", "corp": "corporation",
    "bros": "brothers", "assn": "association", "avg": "average", "max": "maximum", "govt": "government", "ca": "circa",
    "cf": "compare", "viz": "namely", "ext": "extension", "incl": "including", "tel": "telephone",
}  # fmt: skip
_STREETS = {
    "st": "street", "ave": "avenue", "rd": "road", "blvd": "boulevard", "dr": "drive", "ln": "lane", "hwy": "highway",
    "sq": "square", "ct": "court", "pl": "place", "pkwy": "parkway",
}  # fmt: skip
_BEFORE_NUMBER = {
    "no": "number", "nos": "numbers", "p": "page", "pp": "pages", "fig": "figure", "figs": "figures", "vol": "volume",
    "ch": "chapter", "sec": "section", "art": "article", "eq": "equation", "c": "circa", "v": "version",
    "col": "column",
}  # fmt: skip
_DAYS = {
    "mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "thur": "Thursday",
    "thurs": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip
_SHORT_MONTHS = {month[:3].lower(): month for month in MONTHS if month != "May"} | {"sept": "September"}
SHORT_FORMS = frozenset(
    {"al", "co", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"}
).union(_TITLES, _PLAIN, _STREETS, _BEFORE_NUMBER, _DAYS)
_STARTERS = r"(?:The|This|That|These|Those|He|She|It|We|They|You|In|On|At|But|And|So|Then|There|If|When|His|Her|My|Its)"
_SENTENCE_ENDS = re.compile(rf"[\s'\")\]\x1f]*(?:$|{_STARTERS}\b)")
_HEADINGS = (
    "chapter part volume vol book act scene section article appendix title type phase stage grade class level "
    "figure fig table unit season episode step war group zone category mark division"
).split()
_RULERS = (
    "henry george edward richard charles james william louis philip elizabeth mary john paul pius benedict catherine "
    "alexander nicholas peter frederick napoleon leopold albert ferdinand innocent clement gregory urban leo francis "
    "robert christian gustav otto ramesses ptolemy cyrus darius xerxes malcolm victor umberto juan felipe carlos"
).split()
_FILES = (
    "py js ts md txt pdf doc docx xls xlsx ppt pptx csv json yaml yml toml xml html htm css png jpg jpeg gif svg wav "
    "flac ogg zip gz tar exe dll sh bat cpp rs java rb php sql ini cfg conf log ipynb onnx pt pth bin ckpt mp3 mp4"
).split()
_SIGNS = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "?": "question mark", "=": "equals", "&": "and",
    "#": "hash", "%": "percent", ":": "colon", "~": "tilde", "+": "plus", "@": "at",
}  # fmt: skip


def said(words: str) -> str:
    """Words of a rule, marked as such."""
    return f"{ON}{words}{OFF}"


def full_stop(m: re.Match[str]) -> str:
    """The dot of an abbreviation that ends the text, or stands before a new sentence, ends its own sentence."""
    return "." if _SENTENCE_ENDS.match(m.string, m.end()) else ""


def _from(table: dict[str, str], ends: bool = True) -> Replacement:
    def replace(m: re.Match[str]) -> str:
        stop = full_stop(m) if ends else ("." if not m.string[m.end() :].strip() else "")
        return said(table[re.sub(r"\s+", " ", m[1].lower())]) + stop

    return replace


def _initials(m: re.Match[str]) -> str:
    return said(" ".join(re.sub("[^A-Z]", "", m[0].upper()))) + full_stop(m)


def _roman(m: re.Match[str]) -> str:
    before, numeral = m[1], m[3]
    value = roman(numeral)
    word = before.lower()
    if not value or (len(numeral) == 1 and word not in _HEADINGS and not (word in _RULERS[:8] and numeral in "VX")):
        return m[0]
    ruler = word in _RULERS and value < 40
    return before + m[2] + said(f"the {ordinal(str(value))}" if ruler else cardinal(str(value)))


def _address(text: str) -> str:
    """An address or file name piece by piece: signs by name, short names nobody knows as capitals."""
    words: list[str] = []
    for piece in re.findall(r"[A-Za-zÀ-ɏ]+|[0-9]+|[^A-Za-zÀ-ɏ0-9]", text):
        if piece.isdecimal():
            words.append(cardinal(piece) if len(piece) < 4 else digits(piece))
        elif piece.isalpha():
            after_dot = bool(words) and words[-1] == "dot"
            letters = len(piece) <= 2 if after_dot else len(piece) == 1
            unknown = len(piece) <= 4 and not known(piece.lower())
            words.append(piece.upper() if letters or unknown else piece)
        else:
            words.append(_SIGNS.get(piece, ""))
    return said(" ".join(word for word in words if word).replace("WWW", "W W W"))


def _url(m: re.Match[str]) -> str:
    address = re.sub(r"^(?:https?|ftp)[,:]//", "", m[0], flags=re.IGNORECASE)
    kept = address.rstrip(".,!?…'\")]-/")
    return _address(kept) + address[len(kept) :].replace("/", "")


def _file(m: re.Match[str]) -> str:
    # A name's own underscores only part its words.
    return _address(re.sub(r"[_-]+", " ", m[0])).replace("  ", " ")


def _one_of(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


# (pattern, replacement, whether capitals matter)
ADDRESSES: list[tuple[str, str | Replacement, bool]] = [
    (r"(?<![A-Za-z0-9.])[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", lambda m: _address(m[0]), False),
    (r"(?:\b(?:https?|ftp)[,:]//|\bwww\.)[^\s<>\"]+", _url, False),
    (rf"(?<![\w.])[A-Za-z0-9][\w-]*(?:\.[\w-]+)*\.(?:{_one_of(_FILES)})(?![\w-]|\.\w)", _file, False),
    (
        r"(?<![\w.@-])[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.(?:com|org|net|edu|gov|io|ai|cn|uk|dev|app|de|fr|jp)"
        r"(?![\w.-]\w)(?:/[^\s<>\"]*)?(?!\w)",
        _url,
        True,
    ),
]
ABBREVIATIONS: list[tuple[str, str | Replacement, bool]] = [
    (r"\be\.\s?g\.", lambda _: said("for example"), False),
    (r"\bi\.\s?e\.", lambda _: said("that is"), False),
    (
        rf"(\b(?:[A-Z][a-z]+|\d+(?:st|nd|rd|th))\s)((?i:{_one_of(_STREETS)}))\."
        rf"(?=\s+(?:[a-z0-9(]|{_STARTERS}\b)|,|\s*$)",
        lambda m: m[1] + said(_STREETS[m[2].lower()]) + full_stop(m),
        True,
    ),
    (rf"\b({_one_of(_BEFORE_NUMBER)})\.\s?(?=\d)", lambda m: said(_BEFORE_NUMBER[m[1].lower()]), False),
    (rf"\b({_one_of(_TITLES)})\.(?=\s|,|$)", _from(_TITLES, ends=False), False),
    (r"\b(et\sal)\.", _from(_PLAIN), False),
    (rf"\b({_one_of(_PLAIN)})\.(?=[\s,;)]|$)", _from(_PLAIN), False),
    (r"\b(Co)\.(?=[\s,]|$)", lambda m: said("company") + full_stop(m), True),
    (rf"\b((?i:{_one_of(_DAYS)}))\.(?=\s?(?:,|-|to\b|and\b|through\b|\d|the\b))", _from(_DAYS), True),
    (r"\b(Mon|Tues?|Wed|Thurs?|Thur|Fri)\.(?=\s|$)", _from(_DAYS), True),
    (r"\b((?:Jan|Feb|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec))\.(?=\s|,|$)", _from(_SHORT_MONTHS), True),
    (r"\b(Mar)\.(?=\s?\d)", _from(_SHORT_MONTHS), True),
    (r"(?<![A-Za-z0-9])(?:[A-Za-z]\.){2,}", _initials, False),
    (r"(?<![A-Za-z0-9])(?:[A-Z][a-z]?\.){2,}", _initials, True),
    (rf"(?:(?<=^)|(?<=[\s\"(]))((?:[A-HJ-Z]\.\s)+)(?!{_STARTERS}\b)(?=[A-Z][a-z])", lambda m: _names(m), True),
]
ROMANS = (rf"\b([A-Z][A-Za-z]+|{_one_of(_HEADINGS)})(\s+)([IVXLC]+)(?![\w'-])", _roman, True)


def _names(m: re.Match[str]) -> str:
    """Initials before a family name: "J. K. Rowling"; one letter that ends a sentence keeps its dot."""
    before = m.string[: m.start()].rstrip()
    lone = len(m[1].split()) == 1
    if lone and before and not re.search(r"(?:[.!?…\"(]|[A-Z][a-z]*)$", before):
        return m[0]
    return said(m[1].replace(".", ""))
