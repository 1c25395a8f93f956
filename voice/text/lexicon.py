"""English pronunciations: the lexicon of gruut_lang_en as ARPAbet."""

from __future__ import annotations

import importlib.util
import sqlite3
import threading
from functools import lru_cache
from pathlib import Path

from voice.errors import UserError

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

Pronunciation = tuple[str, tuple[str, ...]]


def ipa_to_arpabet(ipa: str) -> tuple[str, ...]:
    """ARPAbet of space-separated IPA phones; a vowel's stress mark stands before it (none means 0)."""
    phones = []
    for phone in ipa.split():
        stress = _STRESS.get(phone[0], "0")
        bare = phone.lstrip("ˈˌ")
        phones.append(_VOWELS[bare] + stress if bare in _VOWELS else _CONSONANTS[bare])
    return tuple(phones)


def _database_uri() -> str:
    found = importlib.util.find_spec("gruut_lang_en")
    if found is None or found.origin is None:
        raise UserError("package gruut_lang_en is not installed", hint="pip install gruut-lang-en")
    return (Path(found.origin).parent / "lexicon.db").as_uri() + "?mode=ro&immutable=1"


class _Table:
    """The whole lexicon in memory, loaded at the first word: its file has no index, so asking it takes 10 ms a word."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, str] = {}

    def rows(self, word: str) -> tuple[Pronunciation, ...]:
        """(role, phones) of a word, the preferred first."""
        with self._lock:
            if not self._rows:
                self._rows = self._load()
        lines = self._rows.get(word, "").split("\n")
        parts = [line.partition("|") for line in lines if line]
        return tuple((role.removeprefix("gruut:"), ipa_to_arpabet(ipa)) for role, _, ipa in parts)

    @staticmethod
    def _load() -> dict[str, str]:
        connection = sqlite3.connect(_database_uri(), uri=True)
        try:
            rows: dict[str, str] = {}
            query = "SELECT word, role, phonemes FROM word_phonemes ORDER BY pron_order"
            for word, role, ipa in connection.execute(query):
                rows[word] = f"{rows[word]}\n{role}|{ipa}" if word in rows else f"{role}|{ipa}"
            return rows
        finally:
            connection.close()


_TABLE = _Table()


@lru_cache(maxsize=65536)
def pronunciations(word: str) -> tuple[Pronunciation, ...]:
    """(role, phones) of a lower-case word, the lexicon's preferred one first; empty when unknown.

    Roles are "VB", "VBD", "NN", "JJ", ..., or "" where a word has one reading for all uses.
    """
    return _TABLE.rows(word)
