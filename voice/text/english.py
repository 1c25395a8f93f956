"""English words to ARPAbet: user lexicon, lexicon, spelled letters, compounds, then the letter model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from voice.text.cleaning import is_silent
from voice.text.english_forms import INITIALISMS, LETTER_A, Found, Phones, cached_phones, spelled, word_phones
from voice.text.english_names import OFF, ON
from voice.text.english_words import ACCENTED, known
from voice.text.homographs import choose
from voice.text.normalise_en import spell_out_marked
from voice.text.reading import Unit
from voice.text.symbols import MARKS

_LATIN = "A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ"
_TOKEN = re.compile(
    rf"'(?:n'|(?:em|tis|twas|cause|til|bout|cos)\b)(?![{_LATIN}])|[{_LATIN}]+(?:['-][{_LATIN}]+)*'?|[!?…,.\-'{ON}{OFF}]",
    re.IGNORECASE,
)
_SHOUT = re.compile(r"[A-Z]{2,}")
_LOWER = re.compile(r"[a-z]")
_PLAIN_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d",
     "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)  # fmt: skip
_FULL_VOWEL = {"the": ("DH", "IY0"), "to": ("T", "UW0")}


def read_english(text: str, own: Mapping[str, Phones], shouting: bool) -> tuple[list[Unit], str]:
    """Units of a cleaned English run and the characters nobody could read.

    own: the user's lexicon, lower-case word -> ARPAbet. shouting: the whole line is in capitals, so
    capitals say nothing about a word (transcripts of some corpora).
    """
    text = unicodedata.normalize("NFC", spell_out_marked(text))
    unread = "".join(c for c in _TOKEN.sub("", text) if not is_silent(c))
    pairs = list(_tokens(text))
    tokens = [token for token, _ in pairs]
    units: list[Unit] = []
    for place, (token, by_rule) in enumerate(pairs):
        if token in MARKS:
            units.append(Unit(token, (token,), "en", "mark"))
            continue
        phones, source = _in_context(tokens, place, own, shouting, by_rule)
        if phones:
            source = "rule" if by_rule and source != "lexicon" else source
            units.append(Unit(strip_accents(token), phones, "en", source))
        else:
            unread += token
    return _soften_articles(units), unread


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Words and marks with whether a rule wrote them; of marks in a row the first stays."""
    by_rule = after_mark = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in (ON, OFF):
            by_rule = token == ON
            continue
        mark = token if token in MARKS else ""
        # An apostrophe that joins no letters is a short break: the models were trained on it as "-".
        if token[-1] == "'" and not token.lower().endswith(("in'", "'n'")):
            mark = "-"
            token = token if token[-2:-1] in ("s", "S", "z", "x") else token[:-1]
        if token and token not in MARKS:
            yield token, by_rule
            after_mark = False
        if mark and not after_mark:
            yield mark, False
            after_mark = True


def strip_accents(text: str) -> str:
    """Latin letters without accents: "café" -> "cafe"."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text.translate(_PLAIN_LETTERS))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def is_shouting(text: str) -> bool:
    """Whether a line is written in capitals throughout: two words or more, none in lower case."""
    return len(_SHOUT.findall(text)) >= 2 and not _LOWER.search(text)


def _in_context(tokens: Sequence[str], place: int, own: Mapping[str, Phones], shouting: bool, by_rule: bool) -> Found:
    """Phones of one word, given its neighbours (homographs, the letter A among capitals)."""
    written = tokens[place]
    token = strip_accents(written)
    lower = token.lower()
    if lower in own:
        return own[lower], "lexicon"
    if written.lower() in ACCENTED:
        return tuple(ACCENTED[written.lower()].split()), "dictionary"
    if token == "A" and (by_rule or (not shouting and _is_letter(tokens, place))):
        return LETTER_A, "letters"
    emphasis = shouting or (token == "AM" and place > 0 and tokens[place - 1] == "I")
    if not emphasis and token in INITIALISMS:
        return spelled(lower)
    found = known(lower)
    if len(found) > 1:
        return choose(found, tokens, place), "dictionary"
    return word_phones(token, own, shouting) if own else cached_phones(token, shouting)


def _is_letter(tokens: Sequence[str], place: int) -> bool:
    """Whether a capital A names the letter ("plan A", "A B C", "grade A meat") and is no article."""
    before = tokens[place - 1] if place else "."
    after = tokens[place + 1] if place + 1 < len(tokens) else "."
    if after in MARKS or any(len(t) == 1 and t.isupper() and t != "I" for t in (before, after)):
        return True
    return before not in MARKS and after[0].islower()


def _soften_articles(units: list[Unit]) -> list[Unit]:
    """ "the" and "to" before a vowel sound keep a full vowel: the apple, to eat."""
    for place, unit in enumerate(units[:-1]):
        full = _FULL_VOWEL.get(unit.word.lower())
        if full and unit.source != "lexicon" and units[place + 1].phones[0][-1] in "012":
            units[place] = Unit(unit.word, full, unit.lang, unit.source)
    return units
