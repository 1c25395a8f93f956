"""Readings of Chinese words by pypinyin, and of a few single characters by their neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

# Common words that the phrase tables lack or read for another sense.
_WORDS = {
    "行长": "hang2 zhang3", "得去": "dei3 qu4", "还得": "hai2 dei3", "总得": "zong3 dei3",
    "非得": "fei1 dei3", "必得": "bi4 dei3", "都得": "dou1 dei3", "数了": "shu3 le5", "数着": "shu3 zhe5",
    "数数": "shu3 shu4", "长大": "zhang3 da4", "长得": "zhang3 de5", "就得": "jiu4 dei3",
    "只得": "zhi3 de2", "重新": "chong2 xin1", "只手": "zhi1 shou3", "只有": "zhi3 you3",
}  # fmt: skip
_COUNTING_AFTER = frozenset("了着过一二两三几清到出完不")
_COUNTING_BEFORE = frozenset("要来再会能去从在她他我你们先可")
_NUMERALS = frozenset("一二三四五六七八九十百千万两几半多这那每")
_BEFORE_DEI = frozenset("我你他她它们咱谁就都还也只总必又")


def readings(words: Sequence[str], own: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Numbered pinyin of every character of every word, before tone sandhi (5 is neutral)."""
    spoken: list[list[str]] = []
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        after = words[place + 1] if place + 1 < len(words) else ""
        if word in own:
            spoken.append(list(own[word]))
        elif len(word) == 1 and (reading := _single(word, before, after)):
            spoken.append([reading])
        elif len(word) == 2 and word[1] == "数" and word[0] in _COUNTING_BEFORE:
            spoken.append([*_looked_up(word[0]), "shu3"])
        elif len(word) == 2 and word[1] == "只" and word[0] in _NUMERALS:
            spoken.append([*_looked_up(word[0]), "zhi1"])
        else:
            spoken.append(list(_looked_up(word)))
    return spoken


def _single(word: str, before: str, after: str) -> str:
    """Reading of a one-character word that its neighbours settle, else empty."""
    if word == "数":
        counting = (after[:1] in _COUNTING_AFTER and after != "") or (before[-1:] in _COUNTING_BEFORE and before != "")
        return "shu3" if counting else ""
    if word == "得":
        return "dei3" if not before or (before[-1] in _BEFORE_DEI and after and after[0] not in "很不好太真") else "de5"
    if word == "地":
        return "de5" if len(before) >= 2 and after and after[0] not in "上下里中面" else "di4"
    if word == "只":
        return "zhi1" if before[-1:] and before[-1] in _NUMERALS else "zhi3"
    if word == "还":
        return "huan2" if after[:1] and after[0] in "书钱债款账贷清" else "hai2"
    fixed = {"的": "de5", "了": "le5", "着": "zhe5", "都": "dou1", "为": "wei4", "和": "he2", "谁": "shei2"}
    return fixed.get(word, "")


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
