"""Pinyin syllable to two phones: onset and toned rime (specification 5.3, last paragraph)."""

from __future__ import annotations

import re
from functools import cache

from voice.text.symbols import FINALS, INITIALS, SILENT_ONSETS, TONES

_SYLLABLE = re.compile(r"([a-zêü]+)([1-5])?")
_SHORTENED = {"uei": "ui", "uen": "un", "iou": "iu"}
# Syllables without a vowel letter, and the hummed ones, borrow the nearest ordinary syllable.
_HUMMED = {"n": "en", "ng": "en", "m": "mu", "hm": "hen", "hng": "hen", "ê": "ei"}


@cache
def syllable_phones(syllable: str) -> tuple[str, str] | None:
    """Two phones of a syllable like "zhang3" or "lv4" (no digit: neutral), None if it is not pinyin."""
    match = _SYLLABLE.fullmatch(syllable.lower().replace("u:", "v").replace("ü", "v"))
    if match is None:
        return None
    letters, tone = _HUMMED.get(match[1], match[1]), match[2] or TONES[-1]
    onset = next((letters[:size] for size in (2, 1) if letters[:size] in INITIALS), "")
    final = _final(onset, letters[len(onset) :])
    onset = onset or SILENT_ONSETS.get(letters[0], "")
    if not onset or final not in FINALS:
        return None
    return onset, final + tone


def _final(onset: str, rest: str) -> str:
    """Rime as the table spells it: the hidden ü written v, and the two buzzing vowels apart from i."""
    rest = _SHORTENED.get(rest, rest)
    if onset in ("j", "q", "x", "y") and rest in ("u", "uan", "ue", "un"):
        return "v" + rest[1:]
    if onset in ("l", "n") and rest == "ue":
        return "ve"
    if onset == "y":
        return {"an": "En", "e": "E"}.get(rest, rest)
    if rest == "i" and onset in ("z", "c", "s"):
        return "i0"
    if rest == "i" and onset in ("zh", "ch", "sh", "r"):
        return "ir"
    # These spellings name phones, never what a writer of pinyin means.
    return "" if rest in ("i0", "ir", "E", "En") else rest
