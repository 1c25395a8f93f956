"""English words to ARPAbet: user lexicon, lexicon, spelled letters, compounds, then the letter model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise

from voice.text.cleaning import is_silent
from voice.text.homographs import choose
from voice.text.lexicon import pronunciations
from voice.text.normalise_en import spell_out
from voice.text.oov import predict
from voice.text.reading import Unit
from voice.text.symbols import MARKS

_TOKEN = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*'?|[!?…,.\-]")
_SHOUT = re.compile(r"[A-Z]{2,}")
_PLAIN_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d",
     "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)  # fmt: skip
# Capitals whose lower-case word means something else.
_INITIALISMS = frozenset("AD AI AM BC EU ID IP IT PM PR TV UI UN US UK OS".split())
_SIBILANTS = ("S", "Z", "SH", "ZH", "CH", "JH")
_VOICELESS = ("P", "T", "K", "F", "TH")
_A_LETTER = ("EY1",)
_LONGEST_COMPOUND = 24

Phones = tuple[str, ...]


def read_english(text: str, own: Mapping[str, Phones], shouting: bool) -> tuple[list[Unit], str]:
    """Units of a cleaned English run and the characters nobody could read.

    own: the user's lexicon, lower-case word -> ARPAbet. shouting: the whole line is in capitals, so
    capitals say nothing about a word (transcripts of some corpora).
    """
    text = strip_accents(spell_out(text))
    tokens = [match[0] for match in _TOKEN.finditer(text)]
    unread = "".join(c for c in _TOKEN.sub("", text) if not is_silent(c))
    tokens = [t for i, t in enumerate(tokens) if t not in MARKS or i == 0 or tokens[i - 1] not in MARKS]
    units: list[Unit] = []
    for place, token in enumerate(tokens):
        if token in MARKS:
            units.append(Unit(token, (token,), "en"))
        elif phones := _in_context(tokens, place, own, shouting):
            units.append(Unit(token, phones, "en"))
    return _soften_articles(units, own), unread


def strip_accents(text: str) -> str:
    """Latin letters without accents: "café" -> "cafe"."""
    decomposed = unicodedata.normalize("NFD", text.translate(_PLAIN_LETTERS))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def is_shouting(text: str) -> bool:
    """Whether a line is written in capitals throughout: two words or more, none in lower case."""
    return len(_SHOUT.findall(text)) >= 2 and not re.search(r"[a-z]", text)


def _in_context(tokens: Sequence[str], place: int, own: Mapping[str, Phones], shouting: bool) -> Phones:
    """Phones of one word, given its neighbours (homographs, the letter A among capitals)."""
    token = tokens[place]
    if token.lower() in own:
        return own[token.lower()]
    if token == "A" and not shouting:
        around = [*tokens[max(place - 1, 0) : place], *tokens[place + 1 : place + 2]]
        last = place + 1 == len(tokens) or tokens[place + 1] in MARKS
        if last or any(len(t) == 1 and t.isupper() and t != "I" for t in around):
            return _A_LETTER
    found = pronunciations(token.lower())
    if len(found) > 1 and token not in _INITIALISMS:
        return choose(found, tokens, place)
    return word_phones(token, own, shouting)


def word_phones(word: str, own: Mapping[str, Phones], shouting: bool = False) -> Phones:
    """Phones of one word out of context, by the first of the ways above that knows it."""
    lower = word.lower()
    if not shouting and word in _INITIALISMS:
        return _spelled(lower)
    if lower in own:
        return own[lower]
    if found := pronunciations(lower):
        return found[0][1]
    if lower.endswith("'"):
        return word_phones(word[:-1], own, shouting)
    if lower.endswith("'s") and "'" not in lower[:-2]:
        return _with_s(word_phones(word[:-2], own, shouting))
    if "-" in word:
        return tuple(phone for part in word.split("-") if part for phone in word_phones(part, own, shouting))
    if match := re.fullmatch(r"([A-Z]{2,})s", word):
        return _with_s(_spelled(match[1].lower()))
    letters = lower.replace("'", "")
    if (word.isupper() and not shouting and len(word) <= 5) or not re.search(r"[aeiouy]", letters):
        return _spelled(letters)
    return _camel(word, own) or _inflected(lower) or _compound(lower) or predict(letters)


def _spelled(letters: str) -> Phones:
    names = (_A_LETTER if letter == "a" else pronunciations(letter)[0][1] for letter in letters if letter.isalpha())
    return tuple(phone for name in names for phone in name)


def _with_s(phones: Phones) -> Phones:
    """Plural or possessive s, by the sound it follows."""
    if not phones:
        return ("EH1", "S")
    if phones[-1] in _SIBILANTS:
        return (*phones, "AH0", "Z")
    return (*phones, "S" if phones[-1] in _VOICELESS else "Z")


def _camel(word: str, own: Mapping[str, Phones]) -> Phones:
    """ "DeepMind" -> deep + mind; empty when there is no inner capital."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", word)
    if len(parts) < 2 or "".join(parts) != word:
        return ()
    return tuple(phone for part in parts for phone in word_phones(part, own))


def _compound(word: str) -> Phones:
    """Two known words written as one, the most even cut first; empty when there are none."""
    if len(word) > _LONGEST_COMPOUND:
        return ()
    cuts = sorted(range(4, len(word) - 3), key=lambda cut: abs(2 * cut - len(word)))
    for cut in cuts:
        first, second = pronunciations(word[:cut]), pronunciations(word[cut:])
        if first and second:
            return (*first[0][1], *(phone.replace("1", "2") for phone in second[0][1]))
    return ()


def _inflected(word: str) -> Phones:
    """Regular plural of a known word; empty otherwise."""
    if word.endswith("s") and not word.endswith("ss") and (found := pronunciations(word[:-1])):
        return _with_s(found[0][1])
    return ()


def _soften_articles(units: list[Unit], own: Mapping[str, Phones]) -> list[Unit]:
    """ "the" and "to" before a vowel sound keep a full vowel: the apple, to eat."""
    fixed = list(units)
    for place, (unit, after) in enumerate(pairwise(units)):
        full = {"the": ("DH", "IY0"), "to": ("T", "UW0")}.get(unit.word.lower())
        if full and unit.word.lower() not in own and after.phones[0][-1] in "012":
            fixed[place] = Unit(unit.word, full, unit.lang)
    return fixed
