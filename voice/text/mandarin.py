"""Chinese text to toned phones: numbers in characters, words, pinyin, tone sandhi, two phones a character."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from voice.text.cleaning import is_silent
from voice.text.normalise_zh import spell_out
from voice.text.polyphones import readings
from voice.text.reading import Unit
from voice.text.sandhi import apply_sandhi
from voice.text.segment_zh import words_of
from voice.text.syllables import syllable_phones
from voice.text.symbols import MARKS

_HAN = r"[㐀-鿿豈-﫿〇\U00020000-\U000323af]"
_TOKEN = re.compile(rf"(?P<phrase>(?:{_HAN}|\s|々|[{re.escape(chr(34))}'()《》〈〉「」『』【】])+)|(?P<mark>[!?…,.\-])")
_SAID_AS = {"〇": "零", "嗯": "恩", "呣": "母"}


def read_mandarin(text: str, own: Mapping[str, Sequence[str]]) -> tuple[list[Unit], str]:
    """Units of a cleaned Chinese run, one a character or mark, and the characters nobody could read.

    own: the user's lexicon, word -> numbered pinyin.
    """
    text = re.sub(rf"({_HAN})々", r"\1\1", spell_out(text))
    units: list[Unit] = []
    unread = ""
    place = 0
    for match in _TOKEN.finditer(text):
        unread += text[place : match.start()]
        place = match.end()
        if match["mark"]:
            if not units or units[-1].word not in MARKS:
                units.append(Unit(match["mark"], (match["mark"],), "zh"))
            continue
        found, missed = _phrase("".join(re.findall(_HAN, match["phrase"])), own)
        units += found
        unread += missed
    unread += text[place:]
    return units, "".join(c for c in unread if not is_silent(c))


def _phrase(characters: str, own: Mapping[str, Sequence[str]]) -> tuple[list[Unit], str]:
    """Units of a run of characters without marks, and those that have no reading."""
    if not characters:
        return [], ""
    spoken = "".join(_SAID_AS.get(c, c) for c in characters)
    words = words_of(spoken, own.keys())
    syllables = apply_sandhi(words, readings(words, own), [word in own for word in words])
    units, unread = [], ""
    for character, syllable in zip(spoken, syllables, strict=True):
        phones = syllable_phones(syllable) if syllable else None
        if phones is None:
            unread += character
        else:
            units.append(Unit(character, phones, "zh"))
    return units, unread
