"""What a recogniser heard against what was meant: words, word errors, and which words were skipped or said twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cn2an
from pypinyin import lazy_pinyin

from voice.text.numbers_en import cardinal

LONGEST_REPEAT = 4  # words
_THOUSANDS = re.compile(r"(?<=\d),(?=\d)")


def words(text: str, lang: str) -> list[str]:
    """Words as they are compared: en in small letters, zh as pinyin without tones; numbers written out in both."""
    text = _THOUSANDS.sub("", text)
    if lang == "zh":
        return lazy_pinyin(re.sub(r"[^\u4e00-\u9fff0-9A-Za-z]", "", cn2an.transform(text, "an2cn")))
    text = re.sub(r"\d+", lambda m: f" {cardinal(m[0])} ", text.lower().replace("\u2019", "'"))
    # "a hundred and two" is written 102, which is read without "and"
    return re.sub(r"\b(hundred|thousand) and\b", r"\1", " ".join(re.sub(r"[^a-z' ]", " ", text).split())).split()


def _costs(said: Sequence[str], heard: Sequence[str]) -> list[list[int]]:
    """Least edits [S + 1][H + 1] from the first s words to the first h."""
    table = [list(range(len(heard) + 1))]
    for row, word in enumerate(said, start=1):
        line = [row]
        for column, other in enumerate(heard):
            line.append(min(table[-1][column] + (word != other), table[-1][column + 1] + 1, line[-1] + 1))
        table.append(line)
    return table


def edits(said: Sequence[str], heard: Sequence[str]) -> int:
    """Least number of words changed, left out or put in."""
    return _costs(said, heard)[-1][-1]


@dataclass(frozen=True)
class Change:
    """Where heard and said differ between two words that agree: spans [from, to) of words."""

    said: tuple[int, int]
    heard: tuple[int, int]


def changes(said: Sequence[str], heard: Sequence[str]) -> list[Change]:
    """The differences of an alignment with least edits, in order."""
    table = _costs(said, heard)
    row, column = len(said), len(heard)
    same = [(row, column)]
    while row or column:
        here = table[row][column]
        agree = bool(row and column) and said[row - 1] == heard[column - 1]
        if row and column and here == table[row - 1][column - 1] + (not agree):
            row, column = row - 1, column - 1
            if agree:
                same.append((row, column))
        elif row and here == table[row - 1][column] + 1:
            row -= 1
        else:
            column -= 1
    places = [(-1, -1), *reversed(same)]
    found = [Change((a + 1, c), (b + 1, d)) for (a, b), (c, d) in pairwise(places)]
    return [change for change in found if change.said[0] < change.said[1] or change.heard[0] < change.heard[1]]


@dataclass(frozen=True)
class Faults:
    """Words left out, each with the changed words around it, and words said twice in a row."""

    skipped: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.skipped or self.repeated)


def faults(said: Sequence[str], heard: Sequence[str], cut: bool = False) -> Faults:
    """Skipped and repeated words. `cut`: what was heard goes on after its last word, which may be half a word.

    A change with fewer words heard than said has a word left out, unless both are the same letters ("every day",
    "everyday"). One with more has words said twice when they or their neighbours stand twice in a row, more often
    than in the text.
    """
    heard = heard[:-1] if cut else heard
    skipped, repeated = [], []
    for change in changes(said, heard):
        meant, got = said[slice(*change.said)], heard[slice(*change.heard)]
        if "".join(meant) == "".join(got) or (cut and change.said[1] == len(said)):
            continue
        if len(meant) > len(got):
            skipped.append(" ".join(meant))
        elif len(meant) < len(got) and (run := _twice(said, heard, change.heard)):
            repeated.append(run)
    return Faults(tuple(skipped), tuple(repeated))


def _twice(said: Sequence[str], heard: Sequence[str], span: tuple[int, int]) -> str:
    """The shortest run of words that stands twice in a row in `heard` there, more often than in `said`; "" for none."""
    for size in range(1, LONGEST_REPEAT + 1):
        for start in range(max(0, span[0] - 2 * size + 1), span[1]):
            run = heard[start : start + size]
            doubled = [*run, *run]
            if heard[start : start + 2 * size] == doubled and _count(doubled, heard) > _count(doubled, said):
                return " ".join(run)
    return ""


def _count(run: Sequence[str], text: Sequence[str]) -> int:
    return sum(list(text[start : start + len(run)]) == list(run) for start in range(len(text) - len(run) + 1))
