"""Cantonese text to phones: numbers in characters, Jyutping by ToJyutping, two phones a syllable.

Characters keep the script they were written in: 隻 and 只 sound different, and only the first tells
which is meant. The number rules know simplified characters, so they see a simplified copy.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from voice.errors import UserError
from voice.text.cleaning import is_silent
from voice.text.normalise_zh import spell_out
from voice.text.reading import Unit
from voice.text.symbols import MARKS, SYMBOLS

_LOCK = threading.Lock()
_HAN = r"㐀-鿿\uf900-\ufaff〇\U00020000-\U000323af"
_TOKEN = re.compile(
    rf"(?P<mark>[{re.escape(MARKS)}])|(?P<phrase>[{_HAN}\s\"'()《》〈〉「」『』【】]+)|(?P<other>.)", re.DOTALL
)
_SYLLABLE = re.compile(r"([a-z]+)([1-6])")
# The first that fits is the onset. A syllable without a consonant is cut after its vowel, or after a
# diphthong or vowel and final consonant that is all of it: its last letter is then said to be the rime.
_ONSETS = "aa ai ak au a e on ou oi ok o uk ng gw kw b p m f d t n l g k h w z c s j".split()
# Sounds outside the table, spelled with the nearest inside it; whole syllables before rimes. Many speakers
# open a syllable without a consonant with ng.
_NEAR_SYLLABLES = {
    "ang": ("ng", "ang"), "aang": ("ng", "aang"), "ong": ("ng", "ong"), "ung": ("ng", "ung"), "oet": ("ng", "eot"),
    "ap": ("a", "p"), "at": ("a", "t"), "ik": ("j", "ik"), "it": ("j", "it"), "hng": ("h", "ang"),
}  # fmt: skip
_NEAR_RIMES = {"eu": "iu", "em": "im", "en": "eng", "ep": "ip", "et": "ek", "oet": "eot"}
_TABLE = frozenset(SYMBOLS)


@cache
def _converter() -> Any:
    try:
        return import_module("ToJyutping")
    except ImportError as error:
        hint = "pip install 'reprovoice[yue]'"
        raise UserError("Cantonese needs the package ToJyutping, which is not installed", hint=hint) from error


@cache
def _simplifier() -> Any:
    return import_module("opencc").OpenCC("t2s")


def read_cantonese(text: str) -> tuple[list[Unit], str]:
    """Units of a cleaned Cantonese run, one a character or mark, and the characters nobody could read."""
    with _LOCK:
        converter = _converter()
    units: list[Unit] = []
    unread: list[str] = []
    # The number rules fail on digits of other scripts.
    text = re.sub(r"[^\D0-9]", lambda m: str(unicodedata.decimal(m[0])), text)
    for match in _TOKEN.finditer(_written_out(re.sub(rf"([{_HAN}])々", r"\1\1", text))):
        if match["mark"]:
            if not units or units[-1].word not in MARKS:
                units.append(Unit(match[0], (match[0],), "yue", "mark"))
        elif match["phrase"]:
            for character, jyutping in converter.get_jyutping_list("".join(re.findall(f"[{_HAN}]", match[0]))):
                phones = _phones(jyutping or "")
                if phones:
                    units.append(Unit(character, phones, "yue"))
                else:
                    unread.append(character)
        else:
            unread.append(match[0])
    return units, "".join(c for c in unread if not is_silent(c))


def _written_out(text: str) -> str:
    """Text with numbers and readable signs in characters; what was not a number stays as written."""
    plain = simplified(text)
    spoken = spell_out(plain)
    if spoken == plain:
        return text
    pieces = []
    done = 0
    for match in re.finditer(f"[{_HAN}]+", plain):
        # The rules leave most runs of characters whole and in order; one they changed stays simplified.
        start = spoken.find(match[0], done)
        if start >= 0:
            pieces += [_in_cantonese(spoken[done:start]), text[match.start() : match.end()]]
            done = start + len(match[0])
    return "".join([*pieces, _in_cantonese(spoken[done:])])


def _in_cantonese(number: str) -> str:
    """幺 for one is said on the telephone in Mandarin only."""
    return number.replace("幺", "一")


def simplified(text: str) -> str:
    """Text in simplified characters, one for one."""
    return re.sub(f"[{_HAN}]", lambda m: _simple(m[0]), text)


@lru_cache(maxsize=16384)
def _simple(character: str) -> str:
    with _LOCK:
        found = str(_simplifier().convert(character))
    return found if len(found) == 1 else character


def _phones(jyutping: str) -> tuple[str, ...]:
    """Phones of one character's syllables (卅 has two); empty when it has no reading."""
    return tuple(phone for syllable in jyutping.split() for phone in syllable_phones(syllable) or ())


@cache
def syllable_phones(jyutping: str) -> tuple[str, str] | None:
    """Onset and toned rime of a syllable like "gwong2", None if it is not Jyutping."""
    match = _SYLLABLE.fullmatch(jyutping)
    if match is None:
        return None
    letters, tone = match.groups()
    onset, rime = _NEAR_SYLLABLES.get(letters) or _divided(letters)
    phones = f"Y{onset}", f"Y{_NEAR_RIMES.get(rime, rime)}{tone}"
    return phones if _TABLE.issuperset(phones) else None


def _divided(letters: str) -> tuple[str, str]:
    onset = next((onset for onset in _ONSETS if letters.startswith(onset)), letters)
    return onset, letters[len(onset) :] or onset[-1:]
