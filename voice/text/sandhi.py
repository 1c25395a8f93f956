"""Tone changes of spoken Mandarin: 不, 一, neutral syllables and third tones, over one phrase.

A phrase is what stands between two marks. Rules follow specification 5.3; a neutral last syllable comes
from the phrase dictionary, from rules for suffixes and particles, or from a list of everyday words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate

from voice.text.mandarin_words import FULL_CHILD, NEUTRAL_LAST, PLAIN_CHILD
from voice.text.segment_zh import parts_of

_NUMERALS = frozenset("零一二三四五六七八九十百千万亿〇两几")
_BEFORE_MEASURE = _NUMERALS | frozenset("半多各整每哪这那")
_CARRIERS = frozenset("百千万亿")  # 一 changes before these although they are numerals
_ORDINAL_BEFORE = ("第", "周", "星期", "礼拜", "初", "月", "年", "点", "号")
_ORDINAL_AFTER = frozenset("月日号")
_RESULTS = frozenset("懂见到起动住完清开出下上来去得好了过")
_VERBS = frozenset("看听说想找吃买来起受站坐做写读记忍走跑赶睡打算对舍料管进出回过用")
_PARTICLES = frozenset("吗呢吧啊呀哇嘛啦们么")


def apply_sandhi(words: Sequence[str], syllables: Sequence[Sequence[str]], fixed: Sequence[bool]) -> list[str]:
    """Numbered pinyin of a phrase, one syllable a character, with its spoken tones.

    fixed: words whose reading the user gave; they influence others but are not changed.
    """
    text = "".join(words)
    starts = [0, *accumulate(len(word) for word in words)]
    flat = [syllable for group in syllables for syllable in group]
    tones = [syllable[-1:] for syllable in flat]
    for word, start in zip(words, starts, strict=False):
        _neutral(word, start, tones)
    base = list(tones)
    _third_tones(words, starts, tones)
    for word, start in zip(words, starts, strict=False):
        if len(word) > 1 and word[-1] == "儿" and word not in PLAIN_CHILD:
            tones[start + len(word) - 1] = tones[start + len(word) - 2]  # colours the syllable before it
    middles = {start for word, start in zip(words, starts, strict=False) if len(word) == 3 and word[1] == "不"}
    ends = {start + len(word) - 1 for word, start in zip(words, starts, strict=False) if len(word) > 1}
    for place, character in enumerate(text):
        if character == "不":
            tones[place] = "5" if place - 1 in middles else _tone_of_bu(text, place, base)
        elif character == "一":
            tones[place] = _tone_of_yi(text, place, base, ends)
    singles = {start for word, start in zip(words, starts, strict=False) if len(word) == 1}
    for place, character in enumerate(text):
        measures = place in singles or (place in ends and text[place - 1] in _BEFORE_MEASURE)
        if character == "个" and place and measures:
            tones[place] = "5"  # a measure word; 一 before it has changed as before its fourth tone
    kept = [given for word, given in zip(words, fixed, strict=True) for _ in word]
    return [
        syllable if keep or not syllable else syllable[:-1] + tone
        for syllable, tone, keep in zip(flat, tones, kept, strict=True)
    ]


def _neutral(word: str, start: int, tones: list[str]) -> None:
    """Particles, suffixes and listed words end in a neutral syllable."""
    end = start + len(word) - 1
    if word in FULL_CHILD:
        tones[end] = "3"
    elif (
        word in NEUTRAL_LAST
        or (len(word) > 1 and word[-2:] in NEUTRAL_LAST and word[-2] != word[-1])
        or word[-1] in ("们", "么")
        or (word[-1] in _PARTICLES and (len(word) == 1 or word[-1] not in "啦哇呀啊"))
        or (word[-1] == "子" and len(word) == 2)
    ):
        tones[end] = "5"
    elif len(word) == 3 and word[-1] in "看了" and word[0] == word[1] and word[:2] in NEUTRAL_LAST:
        tones[start + 1] = "5"


def _tone_of_bu(text: str, place: int, base: Sequence[str]) -> str:
    before, after = (text[place - 1 : place] if place else "", text[place + 1 : place + 2])
    if (
        before
        and after
        and ((before == after and text[place - 2 : place - 1] != "一") or (before in _VERBS and after in _RESULTS))
    ):
        return "5"
    return "2" if after and base[place + 1] == "4" else "4"


def _tone_of_yi(text: str, place: int, base: Sequence[str], ends: Collection[int]) -> str:
    before, after = text[max(place - 4, 0) : place], text[place + 1 : place + 2]
    if not after or (before.endswith(_ORDINAL_BEFORE) and not (before.endswith(("年", "月", "点")) and _phrase(after))):
        return "1"
    if before[-1:] == after and after not in _NUMERALS and before[-2:-1] != "一":
        return "5"
    if (before[-1:] and before[-1] in _NUMERALS) or (after in _NUMERALS and after not in _CARRIERS):
        return "4" if after in "百千" and before[-1:] in "百千万亿" and before else "1"
    if after in _ORDINAL_AFTER and after != "号":
        return "1"
    if place in ends:
        return "1"
    return "2" if base[place + 1] == "4" else "4"


def _phrase(after: str) -> bool:
    """Whether 一 belongs to what follows it and not to a date or decimal before it."""
    return after in "个次样直起些定般边下点百千万"


def _third_tones(words: Sequence[str], starts: Sequence[int], tones: list[str]) -> None:
    """Third before third becomes second: inside words, then across short neighbours from the right."""
    for word, start in zip(words, starts, strict=False):
        _inside(word, start, tones)
    for place in range(len(words) - 2, -1, -1):
        edge = starts[place + 1] - 1
        short = len(words[place]) + len(words[place + 1]) <= 3
        if short and tones[edge] == tones[edge + 1] == "3":
            tones[edge] = "2"


def _inside(word: str, start: int, tones: list[str]) -> None:
    if len(word) >= 4:
        for pair in range(start, start + len(word) - 1, 2):
            if tones[pair] == tones[pair + 1] == "3":
                tones[pair] = "2"
        return
    head = len(parts_of(word)[0]) if len(word) == 3 else 0
    # 1+2 (纸老虎) keeps its first syllable; 2+1 (展览馆) and pairs change from the left.
    order = range(start + len(word) - 2, start - 1, -1) if head == 1 else range(start, start + len(word) - 1)
    for place in order:
        if tones[place] == tones[place + 1] == "3":
            tones[place] = "2"
