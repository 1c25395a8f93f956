"""A hint that Latin text is in a language that is not read here, by py3langid; its model is in the package."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

from voice.text.lexicon import pronunciations

_LOCK = threading.Lock()
_NAMES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "sv": "Swedish", "da": "Danish", "nb": "Norwegian", "fi": "Finnish", "pl": "Polish",
    "cs": "Czech", "tr": "Turkish", "vi": "Vietnamese", "id": "Indonesian", "ro": "Romanian", "hu": "Hungarian",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ]{2,}")
_FEWEST_WORDS, _MOST_WORDS = 4, 60
_UNKNOWN_SHARE, _SURE = 0.3, 0.95


@cache
def _identifier() -> Any:
    made = import_module("py3langid.langid")
    identifier = made.LanguageIdentifier.from_model_file(made.MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in _NAMES if code in identifier.labels])
    return identifier


def foreign_hint(texts: Iterable[str]) -> list[str]:
    """At most one warning for the Latin parts of a line."""
    words: list[str] = []
    for text in texts:
        words += [match[0] for match, _ in zip(_WORD.finditer(text), range(_MOST_WORDS), strict=False)]
        if len(words) >= _MOST_WORDS:
            break
    # Words in capitals are codes and names. Most lines end here, so the model is seldom loaded.
    lower = [word.lower() for word in words if not word.isupper()]
    if len(lower) < _FEWEST_WORDS or sum(not _is_english(word) for word in lower) < _UNKNOWN_SHARE * len(lower):
        return []
    with _LOCK:
        code, sure = _identifier().classify(" ".join(lower))
    if code == "en" or float(sure) < _SURE:
        return []
    return [f"Latin text looks like {_NAMES[code]}, read as English"]


def _is_english(word: str) -> bool:
    return word.isascii() and bool(pronunciations(word))
