"""Text front end: one line of English, Mandarin or both, to phones of the version 2 table.

Importing this package is cheap: the lexicon, the word segmenter and the letter model load at the first
word that needs them. Everything may be called from several threads.
"""

from __future__ import annotations

from collections.abc import Mapping

from voice.errors import UserError
from voice.text.lexicon import parse_lexicon
from voice.text.mixed import read_line
from voice.text.reading import Reading, Span

LANGUAGES = ("zh", "en", "auto")

__all__ = ["LANGUAGES", "Reading", "Span", "read_text"]


def read_text(text: str, lang: str = "auto", lexicon: Mapping[str, str] | None = None) -> Reading:
    """Phones of a line, unit by unit.

    lang: "zh", "en" or "auto". Chinese characters are always read as Mandarin and Latin words as
    English; the language settles what has no script, such as a line of digits.
    lexicon: own pronunciations, word -> ARPAbet with stress ("W ER1 D") or pinyin with tones ("zi4").
    What cannot be read is named in `warnings`; a line without any word has no phones.
    Raises UserError for an unsupported language or an unknown phone in the lexicon.
    """
    if lang not in LANGUAGES:
        raise UserError(f"language {lang!r} is not supported", hint=f"use one of {', '.join(LANGUAGES)}")
    return read_line(text, lang, parse_lexicon(lexicon))
