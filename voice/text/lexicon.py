"""English pronunciations: the lexicon of gruut_lang_en as ARPAbet, and the user's own words."""

from __future__ import annotations

import importlib.util
import re
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from voice.errors import UserError
from voice.text.syllables import syllable_phones
from voice.text.symbols import ENGLISH

_VOWELS = {
    "ɑ": "AA", "æ": "AE", "ʌ": "AH", "ə": "AH", "ɔ": "AO", "aʊ": "AW", "aɪ": "AY", "ɛ": "EH", "ɚ": "ER",
    "eɪ": "EY", "ɪ": "IH", "i": "IY", "oʊ": "OW", "ɔɪ": "OY", "ʊ": "UH", "u": "UW",
}  # fmt: skip
_CONSONANTS = {
    "b": "B", "t͡ʃ": "CH", "d": "D", "ð": "DH", "f": "F", "ɡ": "G", "h": "HH", "d͡ʒ": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "ŋ": "NG", "p": "P", "ɹ": "R", "s": "S", "ʃ": "SH", "t": "T", "θ": "TH",
    "v": "V", "w": "W", "j": "Y", "z": "Z", "ʒ": "ZH",
}  # fmt: skip
_STRESS = {"ˈ": "1", "ˌ": "2"}
_HAN = re.compile(r"[㐀-鿿豈-﫿]+")

Pronunciation = tuple[str, tuple[str, ...]]


def ipa_to_arpabet(ipa: str) -> tuple[str, ...]:
    """ARPAbet of space-separated IPA phones; a vowel's stress mark stands before it (none means 0)."""
    phones = []
    for phone in ipa.split():
        stress = _STRESS.get(phone[0], "0")
        bare = phone.lstrip("ˈˌ")
        phones.append(_VOWELS[bare] + stress if bare in _VOWELS else _CONSONANTS[bare])
    return tuple(phones)


class _Store:
    """One read-only connection, opened at the first word; SQLite connections are used under a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def rows(self, word: str) -> list[tuple[str, str]]:
        with self._lock:
            if self._connection is None:
                self._connection = sqlite3.connect(_database_uri(), uri=True, check_same_thread=False)
            query = "SELECT role, phonemes FROM word_phonemes WHERE word = ? ORDER BY pron_order"
            return self._connection.execute(query, (word,)).fetchall()


def _database_uri() -> str:
    found = importlib.util.find_spec("gruut_lang_en")
    if found is None or found.origin is None:
        raise UserError("package gruut_lang_en is not installed", hint="pip install gruut-lang-en")
    return (Path(found.origin).parent / "lexicon.db").as_uri() + "?mode=ro&immutable=1"


_STORE = _Store()


@lru_cache(maxsize=65536)
def pronunciations(word: str) -> tuple[Pronunciation, ...]:
    """(role, phones) of a lower-case word, the lexicon's preferred one first; empty when unknown.

    Roles are "VB", "VBD", "NN", "JJ", ..., or "" where a word has one reading for all uses.
    """
    return tuple((role.removeprefix("gruut:"), ipa_to_arpabet(ipa)) for role, ipa in _STORE.rows(word))


@dataclass(frozen=True)
class UserLexicon:
    """A user's own pronunciations: English words in ARPAbet, Chinese words in numbered pinyin."""

    english: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mandarin: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def parse_lexicon(entries: Mapping[str, str] | None) -> UserLexicon:
    """Checked lexicon from word -> "W ER1 D" or "hang2 zhang3". Raises UserError naming the bad entry."""
    english: dict[str, tuple[str, ...]] = {}
    mandarin: dict[str, tuple[str, ...]] = {}
    for word, spelling in (entries or {}).items():
        name = word.strip()
        phones = tuple(spelling.split())
        if not phones:
            raise UserError(f"lexicon word {name!r} has no pronunciation", hint='write e.g. "W ER1 D" or "zi4"')
        if _HAN.fullmatch(name):
            mandarin[name] = _checked_pinyin(name, phones)
        elif re.fullmatch(r"[A-Za-z][A-Za-z'-]*", name):
            english[name.lower()] = _checked_arpabet(name, phones)
        else:
            raise UserError(f"lexicon word {name!r} is neither one English word nor Chinese characters")
    return UserLexicon(english, mandarin)


def _checked_arpabet(name: str, phones: tuple[str, ...]) -> tuple[str, ...]:
    for phone in phones:
        if phone not in ENGLISH:
            hint = "use ARPAbet, vowels with stress 0, 1 or 2, e.g. W ER1 D"
            raise UserError(f"lexicon word {name!r}: unknown phone {phone!r}", hint=hint)
    return phones


def _checked_pinyin(name: str, syllables: tuple[str, ...]) -> tuple[str, ...]:
    for syllable in syllables:
        if not syllable[-1].isdigit() or syllable_phones(syllable) is None:
            hint = "use pinyin with tone 1 to 5, e.g. zi4"
            raise UserError(f"lexicon word {name!r}: unknown phone {syllable!r}", hint=hint)
    if len(syllables) != len(name):
        raise UserError(
            f"lexicon word {name!r}: {len(syllables)} syllables for {len(name)} characters",
            hint="give one syllable per character",
        )
    return syllables
