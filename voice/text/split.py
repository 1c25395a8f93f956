"""Long text to pieces that a voice speaks well: whole sentences first, of lengths the model was trained on."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from voice.errors import UserError
from voice.text import pauses as marks
from voice.text.pauses import HAN, LANGUAGE_TAG, PAUSES, Boundary
from voice.text.segment_zh import words_of

_TENTHS_PER_SECOND = 100  # ten phones a second; whole numbers, so that sums do not depend on the place
TARGET, LONGEST = 6.0, 12.0
TINY = 0.4  # seconds: anything shorter is spoken badly on its own

# Badness of ending a piece at a boundary of a kind, and of speaking on across it.
_CUT = {"clause": 0.15, "comma": 0.25, "list": 0.4, "word": 0.5}
_JOIN = {"sentence": 0.03, "line": 0.3}
_WHOLE = re.compile(
    rf"(?P<markup>\{{[^{{}}\n]{{1,200}}\}}|[{HAN}][(（](?P<pinyin>[a-zêü:1-5 ]{{2,200}})[)）]|{LANGUAGE_TAG})"
    rf"|(?P<item>^[^\S\n]*(?:\d{{1,3}}[.)．][^\S\n]+|[\d一二三四五六七八九十]{{1,3}}、))"
    rf"|(?:https?://|www\.)[^\s<>\"“”‘’「」『』，。！？；：、（）《》…{HAN}]+"
    rf"|\d+(?:,\d{{3}}(?!\d)|[.:/\-–~～−．：]\d+)*",
    re.MULTILINE | re.IGNORECASE,
)
_RUNS = re.compile(rf"\s+|[{HAN}]{{1,100}}|[぀-ヿ]+")  # jieba is slow on longer runs
_JAPANESE = re.compile(rf"[{HAN}぀-ヿ]{{2,}}")
_BY_CATEGORY = {"Ll": 8, "Lu": 10, "Lo": 10, "Nd": 30, "Nl": 30, "No": 30}
_SMALL_KANA = "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮーんン〜"
_INSIDE, _NUMBER, _FIRM = 1, 2, 3  # what a place is inside of: a pair, a number or address, markup


@dataclass(frozen=True)
class Piece:
    """What is spoken at once: `text` stands at [start, end) of the whole, `pause_after` seconds follow.

    `text` is that slice, except that a wrapped line goes on after space and a language tag cut apart is
    written again. kind: what ends it, a key of PAUSES. Only the first piece may have a `pause_before`.
    """

    text: str
    start: int
    end: int
    pause_after: float
    kind: str
    pause_before: float = 0.0


class _Item(NamedTuple):
    start: int
    end: int
    kind: str


def split_text(
    text: str, lang: str = "auto", target: float = TARGET, longest: float = LONGEST,
    pauses: Mapping[str, float] = PAUSES,
) -> list[Piece]:  # fmt: skip
    """Pieces of a text, in order; between them lie only white space and pause tags.

    Sentences are kept and short ones joined to about `target` seconds, by a cheap estimate of speaking time. One
    above `longest` is cut at clause marks, then between words, evenly. Numbers, abbreviations, markup, and
    quotations and brackets that fit `longest` stay whole. Raises UserError for a bad pause tag or bad limits.
    """
    if not 0 < target <= longest:
        raise UserError(f"pieces of {target:g} s, at most {longest:g} s: out of range", "use 0 < target <= longest")
    plan = _Plan(text, lang, target, longest)
    pieces: list[Piece] = []
    before, start = 0.0, 0
    for stop, after, seconds in [*marks.pause_tags(text), (len(text), len(text), 0.0)]:
        for item in plan.items(start, stop, "end" if stop == after else "tag"):
            pause = 0.0 if item.kind == "tag" else pauses.get(item.kind, PAUSES[item.kind])
            pieces.append(Piece(plan.spoken(item.start, item.end), item.start, item.end, pause, item.kind, before))
            before = 0.0
        start = after
        if pieces:  # tags side by side add up
            pieces[-1] = replace(pieces[-1], pause_after=pieces[-1].pause_after + seconds)
        else:
            before += seconds
    return pieces


def estimate(text: str, lang: str = "auto") -> float:
    """Seconds that a voice takes for a text, roughly, without reading it."""
    return sum(_tenths(re.sub(LANGUAGE_TAG, "", text), lang)) / _TENTHS_PER_SECOND


def _tenths(text: str, lang: str) -> list[int]:
    """Tenths of a phone of each character; a Chinese one has more where kana show that it is read as Japanese."""
    counts = [_phones(c, 35 if lang == "ja" else 20) for c in text]
    for match in _JAPANESE.finditer(text):
        if any("぀" <= c <= "ヿ" for c in match[0]):
            counts[match.start() : match.end()] = [_phones(c, 35) for c in match[0]]
    return counts


@lru_cache(maxsize=65536)
def _phones(character: str, kanji: int) -> int:
    """Tenths of a phone of one character, on the average; marks, spaces and what cannot be read have none."""
    if re.match(f"[{HAN}]", character):
        return kanji
    if "぀" <= character <= "힣" and character.isalpha():
        return 17 if character <= "ヿ" else 26
    return 30 if character in "%‰$€£¥￥+=×÷°@&#℃" else _BY_CATEGORY.get(unicodedata.category(character), 0)


class _Plan:
    """What is known of a text before it is cut: speaking time up to each place, boundaries, what stays whole."""

    def __init__(self, text: str, lang: str, target: float, longest: float) -> None:
        self.text, self.target, self.longest = text, target, longest
        costs, spaced = _tenths(text, lang), list(text)
        paired, self.tagged, closing = marks.pairs(text)
        for start, inner, stop, end in self.tagged:
            costs[start:inner], costs[stop:end] = [0] * (inner - start), [0] * (end - stop)
        self.until = [0, *accumulate(costs)]
        self.wall = bytearray(len(text) + 2)
        reach = 0
        for start, end in sorted([*paired, *((start, end) for start, _, _, end in self.tagged)]):
            if start >= reach and self.seconds(start, end) <= longest:  # what lies inside is whole already
                self.wall[start + 1 : end] = bytes([_INSIDE]) * (end - start - 1)
                reach = end
        for match in _WHOLE.finditer(text):
            start, end = match.span()
            if match.lastgroup is None:
                end = start + len(match[0].rstrip(".,;:!?)'~"))
            start -= len((match["pinyin"] or "1").split()) - 1  # one syllable to a character
            level, stop = _FIRM if match["markup"] else _NUMBER, end + 1 if match["item"] else end
            self.wall[max(start, 0) + 1 : stop] = bytes([level]) * (stop - max(start, 0) - 1)
        found, wraps = marks.boundaries(text, closing)
        for start, stop in wraps:
            spaced[start:stop] = " " * (stop - start)
        self.said = "".join(spaced)
        self.hard = [b for b in found if b.kind in ("paragraph", "heading")]
        self.stops = [b for b in found if b.kind in ("sentence", "line") and not self.wall[b.at]]
        self.clauses = [b for b in found if b.kind in _CUT and not self.wall[b.at]]

    def seconds(self, start: int, end: int) -> float:
        return (self.until[end] - self.until[start]) / _TENTHS_PER_SECOND

    def spoken(self, start: int, end: int) -> str:
        """Text of a piece: wrapped lines joined, language tags that were cut apart written again."""
        first, last = (bisect_left(self.tagged, (place,)) - 1 for place in (start, end))
        opening, closing = (self.tagged[place] if place >= 0 else (0, 0, 0, 0) for place in (first, last))
        before = self.text[opening[0] : opening[1]] if start < opening[3] else ""
        return before + self.said[start:end] + (self.text[closing[2] : closing[3]] if end < closing[3] else "")

    def items(self, start: int, stop: int, kind: str) -> list[_Item]:
        """Pieces of text[start:stop], where no pause tag lies; the last one is of this kind."""
        found: list[_Item] = []
        for block in self._cut(start, stop, self.hard, kind):
            sentences = self._cut(block.start, block.end, self.stops, block.kind)
            found += self._pack([part for sentence in sentences for part in self._fitted(sentence)])
        return self._glued(found)

    def _cut(self, start: int, stop: int, at: list[Boundary], kind: str) -> list[_Item]:
        """text[start:stop] cut at every boundary inside it, without the white space around the parts."""
        inside = at[bisect_right(at, (start, "~")) : bisect_left(at, (stop, ""))]
        items = []
        for (begin, _), (end, ends) in pairwise([(start, ""), *inside, (stop, kind)]):
            part = self.text[begin:end]
            first, last = begin + len(part) - len(part.lstrip()), begin + len(part.rstrip())
            if first < last:
                items.append(_Item(first, last, ends))
        return items[:-1] + [items[-1]._replace(kind=kind)] if items else []

    def _fitted(self, sentence: _Item) -> list[_Item]:
        """A sentence that fits, or its clauses, and where these do not fit, runs of words."""
        if self.seconds(sentence.start, sentence.end) <= self.longest:
            return [sentence]
        clauses = self._cut(sentence.start, sentence.end, self.clauses, sentence.kind)
        return self._pack([part for clause in clauses for part in self._words(clause, _INSIDE - 1)])

    def _words(self, item: _Item, level: int) -> list[_Item]:
        """An item cut evenly between words; where that is not enough inside pairs, and at last inside words."""
        total = self.seconds(item.start, item.end)
        if total <= self.longest or level == _FIRM:
            return [item]
        places = [p for p in self._places(item, level) if self.wall[p] <= level]
        if not places:
            return self._words(item, level + 1)
        costs = [self.until[p] for p in places]
        count = max(2, round(total / self.target))
        share = total * _TENTHS_PER_SECOND / count
        ideals = [self.until[item.start] + share * number for number in range(1, count)]
        cuts = {places[min(bisect_left(costs, ideal), len(costs) - 1)] for ideal in ideals}
        parts = self._cut(item.start, item.end, [Boundary(p, "word") for p in sorted(cuts)], item.kind)
        return [part for whole in parts for part in self._words(whole, level if len(parts) > 1 else level + 1)]

    def _places(self, item: _Item, level: int) -> Iterator[int]:
        """Places between the words of an item; on the level of characters, between any two of them."""
        text = self.text
        for place in range(item.start + 1, item.end) if level == _NUMBER else ():
            if not unicodedata.combining(text[place]) and "\u200d" not in text[place - 1 : place + 1]:
                yield place
        for match in _RUNS.finditer(text, item.start, item.end) if level < _NUMBER else ():
            run = match[0]
            words = words_of(run) if run[0] >= "㐀" else list(run) if run[0] >= "぀" else []
            for place in accumulate(map(len, words), initial=match.start()):
                before, after = text[place - 1 : place], text[place : place + 1]
                held = before in marks.OPENERS + '"' or after in marks.CLOSERS + marks.MARKS + _SMALL_KANA + '"'
                if item.start < place < item.end and not (held or before.isdigit() or after.isdigit()):
                    yield place

    def _pack(self, items: list[_Item]) -> list[_Item]:
        """Neighbours joined so that lengths are near the target: the cheapest way, over all ways to join."""
        items = self._glued(items)
        low, high = self.target / 2, min(self.target * 4 / 3, self.longest)
        best, back = [0.0], [0]
        for stop in range(1, len(items) + 1):
            last, joins, least, choice = items[stop - 1], 0.0, math.inf, stop - 1
            for start in range(stop - 1, -1, -1):
                seconds = self.seconds(items[start].start, last.end)
                if start < stop - 1 and seconds > self.longest:
                    break
                joins += _JOIN.get(items[start].kind, 0.0) if start < stop - 1 else 0.0
                over, under = max(seconds - high, 0) / max(self.longest - high, 0.1), max(low - seconds, 0) / low
                length = over**2 + under**2 + 0.05 * (seconds / self.target - 1) ** 2
                cost = best[start] + joins + length + _CUT.get(last.kind, 0.0)
                if cost <= least + 1e-9:  # of equals the longest, so that a piece split again is that piece
                    least, choice = cost, start
            best.append(least)
            back.append(choice)
        packed, stop = [], len(items)
        while stop:
            packed.append(_Item(items[back[stop]].start, items[stop - 1].end, items[stop - 1].kind))
            stop = back[stop]
        return packed[::-1]

    def _glued(self, items: list[_Item]) -> list[_Item]:
        """Items too short to be spoken joined to a neighbour: bare marks to the one before, words to the next."""
        glued: list[_Item] = []
        for item in items:
            own = self.seconds(item.start, item.end)
            before = self.seconds(*glued[-1][:2]) if glued else 0.0
            tiny = before < TINY or (own < TINY and item is items[-1])
            if glued and (own == 0 or (tiny and before + own <= self.longest)):
                glued[-1] = _Item(glued[-1].start, item.end, item.kind)
            else:
                glued.append(item)
        return glued
