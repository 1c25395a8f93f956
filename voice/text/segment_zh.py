"""Chinese word segmentation by jieba, and the user's own words kept whole."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

_LOCK = threading.Lock()


@cache
def _load() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba asks for an old setuptools interface on import
        jieba = import_module("jieba")

    logging.getLogger("jieba").setLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    # jieba would keep a cache in the shared temporary folder and trust any file it finds there;
    # reading its dictionary directly takes about a second and leaves nothing behind.
    dictionary = Path(str(jieba.__file__)).parent / "dict.txt"
    with dictionary.open("rb") as lines:
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(lines)
    tokenizer.initialized = True
    return tokenizer


@lru_cache(maxsize=16)
def own_pattern(own: frozenset[str]) -> re.Pattern[str]:
    """Pattern whose one group is any of the words, longer ones first."""
    return re.compile("(" + "|".join(re.escape(word) for word in sorted(own, key=len, reverse=True)) + ")")


def words_of(sentence: str, own: Collection[str] = ()) -> list[str]:
    """Words of a run of Chinese characters; words of `own` are never split or merged."""
    if not own:
        return _cut(sentence)
    words: list[str] = []
    for piece in own_pattern(frozenset(own)).split(sentence):
        words.extend([piece] if piece in own else _cut(piece))
    return words


# 儿 after these is a word of its own, "child": 我儿, 一儿一女.
_NOT_BEFORE_ER = frozenset("我你他俺吾为替有一两二救护拐")


def join_er(words: Sequence[str], own: Collection[str] = ()) -> list[str]:
    """A single 儿 joins the word before it, whose last syllable it colours: 胡同 儿 -> 胡同儿."""
    joined: list[str] = []
    for word in words:
        if word == "儿" and joined and joined[-1] not in own and joined[-1] not in _NOT_BEFORE_ER and word not in own:
            joined[-1] += word
        elif len(word) > 1 and word[0] == "儿" and joined and joined[-1][-1:] == "块" and word not in own:
            joined[-1:] = [joined[-1] + "儿", word[1:]]
        else:
            joined.append(word)
    return joined


def parts_of(word: str) -> list[str]:
    """The shorter words a word is made of: 纸老虎 -> 纸 老虎. The word itself when it has none."""
    for piece in _search(word):
        if 1 < len(piece) < len(word):
            if word.startswith(piece):
                return [piece, word[len(piece) :]]
            if word.endswith(piece):
                return [word[: -len(piece)], piece]
    return [word]


def _cut(sentence: str) -> list[str]:
    with _LOCK:
        tokenizer = _load()
    return [str(word) for word in tokenizer.cut(sentence)] if sentence else []


def _search(word: str) -> list[str]:
    with _LOCK:
        tokenizer = _load()
    return [str(piece) for piece in tokenizer.cut_for_search(word)]
