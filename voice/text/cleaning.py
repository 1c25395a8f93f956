"""Clean-up shared by both languages, before anything is read: character widths, quotes, marks, odd signs."""

from __future__ import annotations

import re
import unicodedata

_QUOTES = {
    "\u2018": "'", "\u2019": "'", "\u201b": "'", "\u02bc": "'", "\u0060": "'", "\u00b4": "'", "\u2032": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2033": '"', "\u00ab": '"', "\u00bb": '"',
}  # fmt: skip
_MARKS = {
    "。": ".", "、": ",", "；": ",", ";": ",", "·": ",", "・": ",", "•": ",", "｡": ".", "､": ",",
    "।": ".", "؟": "?", "،": ",", "¿": "", "¡": "", "㎡": "m²", "㎥": "m³", "℃": "°C", "℉": "°F",
    "〜": "~", "—": " - ", "―": " - ", "‑": "-", "‐": "-", "−": "-",
}  # fmt: skip
# Signs that only frame text and have no sound of their own.
_FRAMES = '"()[]{}<>《》〈〉「」『』【】〔〕〖〗'
_TABLE = str.maketrans(_QUOTES | _MARKS)
# Signs of the last two planes stand for marks that were taken out of the text, see overrides and markup.
_KEPT = re.compile("[㐀-鿿\uf900-\ufaff〇々ㄱ-ㆎ²³°…\U00020000-\U000323af\U000f0000-\U0010ffff]")
_HALF_WIDTH_KANA = re.compile("[ｦ-ﾟ]+")


def clean(text: str) -> str:
    """Text with plain-width letters, straight quotes, one kind of each mark, and single spaces."""
    text = unicodedata.normalize("NFC", text.replace("®", " ").replace("™", " ").replace("©", " "))
    text = _HALF_WIDTH_KANA.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text)
    text = re.sub(r"[\r\n\u2028\u2029\v\f]+", lambda _: " \n ", text)
    text = re.sub(r"\.{3,}|…+|。{2,}|⋯+", "…", text)
    # Spaces and zero-width signs differ only in how they look.
    text = "".join(_narrow(character) for character in text.translate(_TABLE)).translate(_TABLE)
    text = re.sub(r"~+(?!\s?[\d$£€¥])", "…", text)
    text = re.sub(r"(?<!\d)[:：]|[:：](?!\d)", ",", text)
    text = re.sub(r"(?<=[^\d\s])–(?=[^\d\s])|(?<=\s)–(?=\s)|-{2,}", " - ", text).replace("–", "-")
    # A line end closes a sentence unless a mark already did.
    text = re.sub(r"(?<=[!?…,.\-])\s*\n|^\s*\n", " ", text.strip()).replace("\n", ".")
    return re.sub(r"[ \t]+", " ", text).strip()


def _narrow(character: str) -> str:
    """Compatibility form (full width, ligature, circled) of a character, unless that would change a word."""
    if character.isascii() or _KEPT.match(character):
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    kind = unicodedata.category(character)
    if kind in ("Cf", "Cc", "Mn"):
        return ""
    if kind == "Zs":
        return " "
    plain = unicodedata.normalize("NFKC", character)
    # A circled digit or a fraction must not run into the digits beside it.
    return f" {plain} ".replace("\u2044", "/") if kind == "No" else plain


def is_silent(character: str) -> bool:
    """Whether a sign left after cleaning carries no word, so dropping it loses nothing."""
    return character.isspace() or character in _FRAMES or character in "'_*`|\\^-"


def describe(characters: str) -> str:
    """Readable list of unread characters for a warning, at most eight of them."""
    distinct = list(dict.fromkeys(characters))
    names = [f"{c!r} ({unicodedata.name(c, f'U+{ord(c):04X}').lower()})" for c in distinct[:8]]
    return ", ".join(names) + (f" and {len(distinct) - 8} more" if len(distinct) > 8 else "")
