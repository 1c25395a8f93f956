"""Readings of Chinese words: the user's, those of phrase dictionaries, and single characters by their neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import import_module
from itertools import accumulate
from typing import Any

from voice.text.mandarin_contexts import in_context

# Common words that the phrase tables lack or read for another sense.
_WORDS = {
    "行长": "hang2 zhang3", "得去": "dei3 qu4", "还得": "hai2 dei3", "总得": "zong3 dei3",
    "非得": "fei1 dei3", "必得": "bi4 dei3", "都得": "dou1 dei3", "数了": "shu3 le5", "数着": "shu3 zhe5",
    "数数": "shu3 shu4", "长大": "zhang3 da4", "长得": "zhang3 de5", "就得": "jiu4 dei3",
    "只得": "zhi3 de2", "重新": "chong2 xin1", "只手": "zhi1 shou3", "只有": "zhi3 you3",
    "大夫": "dai4 fu5", "卷子": "juan4 zi5", "大宛": "da4 yuan1", "大喝": "da4 he4", "一行": "yi1 hang2",
    "长长": "chang2 chang2", "很长": "hen3 chang2", "还有": "hai2 you3", "还会": "hai2 hui4", "都会": "dou1 hui4",
    "还要": "hai2 yao4", "会长": "hui4 zhang3", "为人": "wei2 ren2", "人为": "ren2 wei2", "朝阳区": "chao2 yang2 qu1",
    "结实": "jie1 shi5", "不着": "bu5 zhao2", "着了": "zhao2 le5", "得了": "de2 le5", "了得": "liao3 de2",
    "谁": "shei2", "什么": "shen2 me5", "一会儿": "yi2 hui4 er2", "那么": "na4 me5", "差点": "cha4 dian3",
}  # fmt: skip
_AFTER_A_LINE = ("人", "几人", "数人", "三人", "四人", "五人")
_LONGEST_PHRASE = 8
# Particles are never neutral where they begin a word.
_FULL_FIRST = {"得": "de2", "地": "di4", "的": "di4", "着": "zhuo2", "了": "liao3"}


def readings(
    words: Sequence[str], own: Mapping[str, Sequence[str]], heard: Mapping[int, str] | None = None
) -> tuple[list[list[str]], set[int]]:
    """Numbered pinyin of every character of every word, before tone sandhi (5 is neutral); "" where unknown.

    heard: place -> reading by a model, taken where no dictionary phrase settles the character.
    The second result is the places where it was.
    """
    heard = heard or {}
    used: set[int] = set()
    text = "".join(words)
    borders = [0, *accumulate(len(word) for word in words)]
    known = _phrases()
    spoken: list[list[str]] = []
    place = 0
    while place < len(words):
        joined = _joined(words, place, own, known)
        for word, syllables in joined:
            spoken.append(syllables)
            place += 1
            assert len(syllables) == len(word)
        if joined:
            continue
        word = words[place]
        start = borders[place]
        syllables = list(own[word]) if word in own else _word(word, text, start, borders)
        for at in () if word in own or not heard else _open(word):
            if start + at in heard:
                syllables[at] = heard[start + at]
                used.add(start + at)
        spoken.append(syllables)
        place += 1
    return spoken, used


def _joined(
    words: Sequence[str], place: int, own: Mapping[str, Sequence[str]], known: Mapping[str, Any]
) -> list[tuple[str, list[str]]]:
    """Neighbouring words that together are one dictionary phrase (丢三 落四), each with its reading; else none."""
    size, best, phrase = len(words[place]), place, words[place]
    if phrase in own:
        return []
    for end in range(place + 1, len(words)):
        size += len(words[end])
        if size > _LONGEST_PHRASE or words[end] in own:
            break
        phrase += words[end]
        if size > 2 and phrase in known:
            best = end
    if best == place:
        return []
    syllables = list(_looked_up("".join(words[place : best + 1])))
    found = []
    for word in words[place : best + 1]:
        found.append((word, syllables[: len(word)]))
        syllables = syllables[len(word) :]
    return found


def _word(word: str, text: str, start: int, borders: Sequence[int]) -> list[str]:
    """Reading of one word of a phrase; what only its neighbours can tell is looked for there."""
    if word == "一行" and text[start + 2 :].startswith(_AFTER_A_LINE):
        return ["yi1", "xing2"]
    syllables = list(_looked_up(word))
    for place in _open(word):
        heard = in_context(text, start + place, borders)
        if heard and not (len(word) > 1 and place == 0 and word[0] in _FULL_FIRST and heard.endswith("5")):
            syllables[place] = heard
        elif heard:
            syllables[place] = _FULL_FIRST[word[0]]
    return syllables


@cache
def _phrases() -> Mapping[str, Any]:
    phrases: Mapping[str, Any] = import_module("pypinyin.constants").PHRASES_DICT
    return phrases


@lru_cache(maxsize=65536)
def _open(word: str) -> tuple[int, ...]:
    """Places of a word's characters that no dictionary phrase covers."""
    if word == "穿着":  # the clothes one wears, or wearing them
        return (1,)
    if word in _WORDS or (len(word) > 1 and word in _phrases()):
        return ()
    if len(word) == 1:
        return (0,)
    places: list[int] = []
    start = 0
    for piece in import_module("pypinyin.seg.mmseg").seg.cut(word):
        if len(piece) == 1:
            places.append(start)
        start += len(piece)
    return tuple(places)


@lru_cache(maxsize=65536)
def _looked_up(word: str) -> tuple[str, ...]:
    """Phrase reading when there is one, otherwise the parts' and characters' own; "" where unknown."""
    from pypinyin import Style, lazy_pinyin

    if word in _WORDS:
        return tuple(_WORDS[word].split())
    found = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False, errors="ignore")
    if len(found) == len(word):
        return tuple(found)
    # A character without a reading is left out, so the rest no longer lines up: look each one up alone.
    return ("",) if len(word) == 1 else tuple(_looked_up(character)[0] for character in word)
