"""Text front end: one line in Mandarin, English, Japanese, Korean, Cantonese or several, to version 2 phones.

Importing this package is cheap: the lexicon, the word segmenter and the letter model load at the first
word that needs them. Everything may be called from several threads.
"""

from __future__ import annotations

from collections.abc import Mapping

from voice.errors import UserError
from voice.text.languages import LANGUAGES
from voice.text.lexicon_file import load_lexicon
from voice.text.mixed import read_line
from voice.text.own_words import parse_lexicon
from voice.text.reading import Reading, Span

__all__ = ["LANGUAGES", "Reading", "Span", "load_lexicon", "read_text"]


def read_text(text: str, lang: str = "auto", lexicon: Mapping[str, str] | None = None) -> Reading:
    """Phones of a line, unit by unit.

    lang: one of LANGUAGES. Latin words are read as English, kana as Japanese, Hangul as Korean. Chinese
    characters are Japanese with "ja", Cantonese with "yue", and Mandarin otherwise; with "auto" those that
    belong to kana are Japanese. The language also settles what has no script, such as a line of digits.
    lexicon: own pronunciations, word or phrase -> ARPAbet with stress ("W ER1 D"), pinyin with tones
    ("zi4") or other words in its place ("=other words"). The longest entry at a place wins.
    The text itself may say more: [ja]...[/ja] sets a language, 重(chong2)复 and {word|W ER1 D} a reading;
    these win over the lexicon.
    What cannot be read is named in `warnings`; a line without any word has no phones.
    Raises UserError for an unsupported language, an unknown phone in a given reading, and a language asked
    for whose package is not installed.
    """
    if lang not in LANGUAGES:
        raise UserError(f"language {lang!r} is not supported", hint=f"use one of {', '.join(LANGUAGES)}")
    return read_line(text, lang, parse_lexicon(lexicon))
