"""Japanese text to phones with pitch marks, by the analyser and dictionary of pyopenjtalk-plus.

Phones are those of its full-context labels, devoiced vowels written as voiced ones. Between them stand
the prosody marks of specification 5.5: "[" the pitch rises, "]" it falls, "_" a pause. The border of two
accent phrases is "UNK": the published models know it by the id of that symbol.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from voice.errors import UserError
from voice.text.cleaning import is_silent
from voice.text.japanese_numbers import spell_out
from voice.text.reading import Unit
from voice.text.symbols import MARKS, UNKNOWN

BORDER = UNKNOWN
_LOCK = threading.Lock()
_LONGEST = 400  # characters without a mark at a time; the analyser takes a few thousand bytes
_WORD = r"0-9A-Za-zぁ-ゖゝゞァ-ヺーヽヾヿ々〆〇㐀-鿿\uf900-\ufaff\U00020000-\U000323af"
_TOKEN = re.compile(
    rf"(?P<mark>[!?…,\-]|\.(?!\d)|(?<!\d)\.)|(?P<speech>(?:[{_WORD}]|\s|(?<=\d)\.(?=\d))+)|(?P<other>.)"
)
# Sounds of foreign words that the table spells with two phones, and the one it lacks altogether.
_DIVIDED = {"kw": ("k", "w"), "gw": ("g", "w"), "ty": ("t", "y"), "fy": ("hy",)}
_MORA_ENDS = frozenset("a i u e o A I U E O N cl".split())
_PHONE = re.compile(r"-(.+?)\+")
_ACCENT = re.compile(r"/A:(-?\d+)\+(\d+)\+(\d+)/")
_MORAS = re.compile(r"/F:(\d+)_")


@cache
def _engine() -> Any:
    try:
        return import_module("pyopenjtalk")
    except ImportError as error:
        hint = "pip install 'reprovoice[ja]'"
        raise UserError("Japanese needs the package pyopenjtalk-plus, which is not installed", hint=hint) from error


def read_japanese(text: str) -> tuple[list[Unit], str]:
    """Units of a cleaned Japanese run and the characters nobody could read.

    A unit is one accent phrase (a word with its particles) or one mark; the border after a phrase and a
    pause inside a run belong to the phrase before them. Should the analyser's words and labels disagree
    about the phrases, all of a run between two marks is one unit. Latin letters are read as the
    dictionary has them, else by name.
    """
    units: list[Unit] = []
    unread: list[str] = []
    for match in _TOKEN.finditer(spell_out(text)):
        if match["mark"]:
            if not units or units[-1].word not in MARKS:
                units.append(Unit(match[0], (match[0],), "ja", "mark"))
        elif match["speech"]:
            for start in range(0, len(match[0]), _LONGEST):
                found, missed = _speech(match[0][start : start + _LONGEST].strip())
                units += found
                unread.append(missed)
        else:
            unread.append(match[0])
    return units, "".join(c for c in "".join(unread) if not is_silent(c))


def _speech(text: str) -> tuple[list[Unit], str]:
    """Units of a run without marks, and what the dictionary has no sound for."""
    # A lengthening sign with nothing before it lengthens nothing.
    body = text.lstrip("ー ")
    missed = text[: len(text) - len(body)]
    if not body:
        return [], missed
    with _LOCK:
        engine = _engine()
        features = engine.run_frontend(body)
        sounding = [feature for feature in features if feature["mora_size"] and feature["pron"] != "、"]
        labels = engine.make_label(sounding) if sounding else []
    missed += "".join(_narrow(feature["string"]) for feature in features if not feature["mora_size"])
    phrases = _accent_phrases(labels)
    if not phrases:
        return [], text
    words = _phrase_words(sounding)
    if len(words) != len(phrases):
        words, phrases = ["".join(words)], [[phone for phrase in phrases for phone in phrase]]
    return [Unit(word, tuple(phrase), "ja") for word, phrase in zip(words, phrases, strict=True)], missed


def _phrase_words(features: Sequence[dict[str, Any]]) -> list[str]:
    """Text of every accent phrase; a word chained to the one before it stays with it."""
    words: list[str] = []
    for feature in features:
        if words and feature["chain_flag"] == 1:
            words[-1] += _narrow(feature["string"])
        else:
            words.append(_narrow(feature["string"]))
    return words


def _narrow(word: str) -> str:
    """The dictionary's full-width letters and digits as plain ones."""
    return unicodedata.normalize("NFKC", word)


def _accent_phrases(labels: Sequence[str]) -> list[list[str]]:
    """Phones and prosody marks of full-context labels, divided at the borders of accent phrases."""
    phrases: list[list[str]] = []
    fresh = True
    for phone, mark in _prosody(labels):
        if phone == "_":
            if phrases:
                phrases[-1].append("_")
            fresh = True
            continue
        if fresh:
            phrases.append([])
        phrases[-1] += _DIVIDED.get(phone, (phone,))
        if mark:
            phrases[-1].append(mark)
        fresh = mark == BORDER
    return phrases


def _prosody(labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every phone with the mark after it ("" for none); a pause inside is "_".

    A label counts moras in its phrase: relative to the accent, from the start and from the end. The mark
    follows from these and from the next label's count, as in ESPnet's recipe for pitch marks.
    """
    places = [_ACCENT.search(label) for label in labels]
    for number, label in enumerate(labels):
        found = _PHONE.search(label)
        phone = found[1] if found else "sil"
        if phone == "sil":
            continue
        if phone == "pau":
            yield "_", ""
            continue
        place, after = places[number], places[number + 1] if number + 1 < len(labels) else None
        mark = ""
        if place and after:
            size = _MORAS.search(label)
            mark = _mark(phone, [int(n) for n in place.groups()], int(after[2]), int(size[1]) if size else 0)
        yield phone.lower() if phone in "AIUEO" else phone, mark


def _mark(phone: str, place: Sequence[int], next_mora: int, size: int) -> str:
    """Mark after a phone. place: moras to the accent, from the start, to the end; size: moras of the phrase."""
    to_accent, mora, to_end = place
    if to_end == 1 and next_mora == 1 and phone in _MORA_ENDS:
        return BORDER
    if to_accent == 0 and next_mora == mora + 1 and mora != size:
        return "]"
    return "[" if mora == 1 and next_mora == 2 else ""
