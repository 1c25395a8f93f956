"""Phones of one English word out of context: lexicons, letters, forms of known words, then the letter model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from voice.text.english_words import known
from voice.text.oov import predict

# Capitals whose lower-case word means something else.
INITIALISMS = frozenset("AD AI AM BC EU ID IP IT LA LED PM PR TV UI UN US UK OS".split())
LETTER_A = ("EY1",)
_SIBILANTS = ("S", "Z", "SH", "ZH", "CH", "JH")
_VOICELESS = ("P", "T", "K", "F", "TH")
_CLITICS = {
    "'ll": ("AH0", "L"), "'d": ("D",), "'ve": ("AH0", "V"), "'re": ("ER0",), "'m": ("AH0", "M"),
    "n't": ("AH0", "N", "T"),
}  # fmt: skip
_SUFFIXES = {
    "ly": ("L", "IY0"), "ness": ("N", "AH0", "S"), "less": ("L", "AH0", "S"), "ing": ("IH0", "NG"), "in'": ("IH0", "N"),
    "er": ("ER0",), "ers": ("ER0", "Z"),
}  # fmt: skip
_LONGEST_COMPOUND = 24
_WEAKEST = ("lexicon", "dictionary", "letters", "model")

Phones = tuple[str, ...]
# Phones of a word and where they come from, one of reading.SOURCES; no phones mean nothing knows it.
Found = tuple[Phones, str]
NOTHING: Found = ((), "")


def word_phones(word: str, own: Mapping[str, Phones], shouting: bool = False) -> Found:
    """Phones of one word out of context and their source, by the first way that knows it."""
    if not word:
        return NOTHING
    lower = word.lower()
    if not shouting and word in INITIALISMS:
        return spelled(lower)
    if lower in own:
        return own[lower], "lexicon"
    if found := known(lower):
        return found[0][1], "letters" if len(lower) == 1 and lower not in "ai" else "dictionary"
    if lower.endswith("in'") and (found := known(lower[:-1] + "g")):
        return (*found[0][1][:-1], "N"), "dictionary"
    if lower.endswith("'"):
        return word_phones(word[:-1], own, shouting)
    if lower.endswith("'s") and "'" not in lower[:-2]:
        return _with_s(word_phones(word[:-2], own, shouting))
    if "-" in word:
        return _joined([word_phones(part, own, shouting) for part in word.split("-") if part])
    for clitic, phones in _CLITICS.items():
        if lower.endswith(clitic) and lower.count("'") < 4 and len(lower) > len(clitic):
            base, source = word_phones(word[: -len(clitic)], own, shouting)
            return (*base, *(("AH0", "D") if clitic == "'d" and base[-1:] in (("T",), ("D",)) else phones)), source
    if match := re.fullmatch(r"([A-Z]{2,})s", word):
        return _with_s(spelled(match[1].lower()) if not known(lower[:-1]) else word_phones(match[1], own))
    letters = lower.replace("'", "")
    if lower[-1] == "s" and not word.isupper() and (plural := _inflected(lower))[0]:
        return plural
    if (word.isupper() and not shouting and len(word) <= 5) or not re.search(r"[aeiouy]", letters):
        return spelled(letters)
    for way in (_inflected(lower), _camel(word, own), _compound(lower)):
        if way[0]:
            return way
    phones = predict(letters)
    return (phones, "model") if phones else spelled(letters)


@lru_cache(maxsize=32768)
def cached_phones(word: str, shouting: bool) -> Found:
    return word_phones(word, {}, shouting)


def _joined(parts: Sequence[Found]) -> Found:
    """Parts said one after another; the least certain of their sources counts."""
    if not parts:
        return NOTHING
    return tuple(p for phones, _ in parts for p in phones), max((source for _, source in parts), key=_WEAKEST.index)


def spelled(letters: str) -> Found:
    names = (LETTER_A if letter == "a" else known(letter)[0][1] for letter in letters if known(letter))
    return tuple(phone for name in names for phone in name), "letters"


def _with_s(found: Found) -> Found:
    """Plural or possessive s, by the sound it follows."""
    phones, source = found
    if not phones:
        return ("EH1", "S"), "letters"
    if phones[-1] in _SIBILANTS:
        return (*phones, "AH0", "Z"), source
    return (*phones, "S" if phones[-1] in _VOICELESS else "Z"), source


def _camel(word: str, own: Mapping[str, Phones]) -> Found:
    """ "DeepMind" -> deep + mind; nothing when there is no inner capital."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", word)
    if len(parts) < 2 or "".join(parts) != word:
        return NOTHING
    return _joined([word_phones(part, own) for part in parts])


def _compound(word: str) -> Found:
    """Two known words written as one, the most even cut first; nothing when there are none."""
    if len(word) > _LONGEST_COMPOUND:
        return NOTHING
    cuts = sorted(range(4, len(word) - 3), key=lambda cut: abs(2 * cut - len(word)))
    for cut in cuts:
        first, second = known(word[:cut]), known(word[cut:])
        if first and second:
            return (*first[0][1], *(phone.replace("1", "2") for phone in second[0][1])), "dictionary"
    return NOTHING


def _inflected(word: str) -> Found:
    """Regular form of a known word (plural, past, -ing, -ly and the like); nothing otherwise."""
    if word.endswith("s") and not word.endswith("ss") and (found := known(word[:-1])):
        return _with_s((found[0][1], "dictionary"))
    if word.endswith("ed") and (base := _base(word[:-2]) or _base(word[:-1])):
        return (*base, *_past(base[-1])), "dictionary"
    for suffix, phones in _SUFFIXES.items():
        if word.endswith(suffix) and (base := _base(word[: -len(suffix)])):
            return (*base, *(phones[1:] if suffix == "ly" and base[-1] == "L" else phones)), "dictionary"
    return NOTHING


def _past(last: str) -> Phones:
    """Ending of the regular past after a phone."""
    if last in ("T", "D"):
        return ("IH0", "D")
    return ("T",) if last in (*_VOICELESS, "S", "SH", "CH") else ("D",)


def _base(stem: str) -> Phones:
    """Phones of the known word a suffix was put to: "google", "plan" of "plann", "reply" of "repli"."""
    if len(stem) < 3:
        return ()
    tries = [stem, stem + "e"]
    if stem[-1] == stem[-2]:
        tries.append(stem[:-1])
    if stem.endswith("i"):
        tries.append(stem[:-1] + "y")
    return next((found[0][1] for word in tries if (found := known(word))), ())
