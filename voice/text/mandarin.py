"""Chinese text to toned phones: numbers in characters, words, pinyin, tone sandhi, two phones a character."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from voice.text.cleaning import is_silent
from voice.text.g2pw import heard_by_model
from voice.text.mandarin_script import to_simplified
from voice.text.normalise_zh import spell_out_marked
from voice.text.polyphones import readings
from voice.text.reading import Unit
from voice.text.sandhi import apply_sandhi
from voice.text.segment_zh import join_er, words_of
from voice.text.syllables import syllable_phones
from voice.text.symbols import MARKS

_HAN = r"[㐀-鿿\uf900-\ufaff〇\U00020000-\U000323af]"
_IS_HAN = re.compile(_HAN)
_TOKEN = re.compile(rf"(?P<phrase>(?:{_HAN}|\s|々|[{re.escape(chr(34))}'()《》〈〉「」『』【】])+)|(?P<mark>[!?…,.\-])")
_REPEATED = re.compile(rf"(?<={_HAN})々")
_SAID_AS = {"〇": "零", "嗯": "恩", "呣": "母"}


def read_mandarin(text: str, own: Mapping[str, Sequence[str]]) -> tuple[list[Unit], str]:
    """Units of a cleaned Chinese run, one a character or mark, and the characters nobody could read.

    own: the user's lexicon, word -> numbered pinyin.
    """
    while match := _REPEATED.search(text):
        text = text[: match.start()] + text[match.start() - 1] + text[match.end() :]
    text, written = spell_out_marked(to_simplified(text, own))
    by_model, chosen = heard_by_model(text)
    units: list[Unit] = []
    unread: list[str] = []
    place = 0
    for match in _TOKEN.finditer(text):
        unread.append(text[place : match.start()])
        start, place = match.span()
        if match["mark"]:
            if not units or units[-1].word not in MARKS:
                units.append(Unit(match["mark"], (match["mark"],), "zh", "mark"))
            continue
        places = [place for place in range(start, match.end()) if _IS_HAN.match(text[place])]
        heard = {number: (by_model[at], at in chosen) for number, at in enumerate(places) if at in by_model}
        found, missed = _phrase("".join(text[at] for at in places), [written[at] for at in places], heard, own)
        units += found
        unread.append(missed)
    unread.append(text[place:])
    return units, "".join(c for c in "".join(unread) if not is_silent(c))


def _phrase(
    characters: str, written: Sequence[bool], heard: Mapping[int, tuple[str, bool]], own: Mapping[str, Sequence[str]]
) -> tuple[list[Unit], str]:
    """Units of a run of characters without marks, and those that have no reading.

    written: whether a rule put the character there (a number or sign written out); heard: what a
    model's folder reads, and whether the model itself was asked.
    """
    if not characters:
        return [], ""
    # The user's words are looked for as they were written, 〇 and 嗯 included.
    words = join_er(words_of(characters, own.keys()), own)
    spoken = [word if word in own else "".join(_SAID_AS.get(c, c) for c in word) for word in words]
    given = [word in own for word in spoken]
    read, by_model = readings(spoken, own, {at: sound for at, (sound, _) in heard.items()})
    syllables = apply_sandhi(spoken, read, given)
    from_user = [is_given for word, is_given in zip(spoken, given, strict=True) for _ in word]
    units: list[Unit] = []
    unread = ""
    for at, (character, syllable) in enumerate(zip("".join(spoken), syllables, strict=True)):
        phones = syllable_phones(syllable) if syllable else None
        if phones is None:
            unread += character
            continue
        source = (
            "lexicon"
            if from_user[at]
            else "rule"
            if written[at]
            else "model"
            if at in by_model and heard[at][1]
            else "dictionary"
        )
        units.append(Unit(character, phones, "zh", source))
    return units, unread
