"""Where a speaker may pause in a text and for how long: marks, line ends, headings and pause tags."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from voice.errors import UserError

# Seconds of silence after a piece, by what ends it.
PAUSES = {
    "word": 0.05, "list": 0.15, "comma": 0.15, "clause": 0.2, "sentence": 0.35, "line": 0.45,
    "paragraph": 0.8, "heading": 0.9, "tag": 0.5, "end": 0.0,
}  # fmt: skip
LONGEST_PAUSE = 10.0

OPENERS = "“‘«「『（(［[｛{〔〖【《〈"
CLOSERS = "”’»」』）)］]｝}〕〗】》〉"
LANGUAGE_TAG = r"\[/?(?:en|zh|ja|ko|yue)\]"
_OPENER_OF = dict(zip(CLOSERS, OPENERS, strict=True))
_DEPTH = 8  # how far back an opening quote or bracket is looked for

HAN = "㐀-鿿豈-﫿〇々\U00020000-\U000323af"
WIDE = re.compile(rf"[{HAN}぀-ヿ]")
_TAG = re.compile(r"\[pause(?:[^\S\n]+([^\[\]\n]{0,40}))?\]", re.IGNORECASE)
_LENGTH = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})[^\S\n]*(s|ms)", re.IGNORECASE)
NEWLINES = "\n\r\x0b\x0c\x85\u2028\u2029"
_STRONG, _DOTS, _LISTED, _COMMAS, _CLAUSES, _DASHES = "。｡！!？?", ".．…⋯‥", "、､", "，,", "；;：:~～", "—―–-"
MARKS = _STRONG + _DOTS + _LISTED + _COMMAS + _CLAUSES + _DASHES
_CANDIDATE = re.compile(rf"(?P<mark>[{re.escape(MARKS)}]+)|[{NEWLINES}]\s*")
_PAIRED = re.compile(rf"{LANGUAGE_TAG}|[{re.escape(OPENERS + CLOSERS)}\"]|[{NEWLINES}]\s*", re.IGNORECASE)
_CLOSING = re.compile(LANGUAGE_TAG.replace("/?", "/"), re.IGNORECASE)
_NEXT = re.compile(rf"[^\S{NEWLINES}]*(?:{LANGUAGE_TAG}|[\"'*_{re.escape(OPENERS)}]){{0,3}}([^\W_][\w'’]{{0,14}})?")
_WORD_BEFORE = re.compile(r"(?<![A-Za-z0-9.])[A-Za-z](?:\.?[A-Za-z])*$")
_SAID = re.compile(r"[^\s，。！？…、；：“「『\"]{0,4}?[说說道问問喊答叫嚷骂罵叹嘆笑]")

_TITLES = frozenset(
    (
        "mr mrs ms mx dr prof rev gen col capt cpt lt sgt cmdr adm maj hon mt st sen rep gov pres messrs mme mlle "
        "fr vs cf ca approx dept est univ e.g i.e eg viz"
    ).split()
)
_BEFORE_NUMBER = frozenset("no nos nr fig figs eq eqs vol vols ch chap sec p pp art tab ver v".split())
_OFTEN_INSIDE = frozenset(
    "inc ltd co corp bros jr sr ph.d phd jan feb mar apr jun jul aug sept sep oct nov dec mon tue wed thu fri".split()
)
# After an abbreviation a capital may be a name; these words can only begin a sentence.
_STARTERS = frozenset(
    (
        "a an the he she it we they i you but and so or if as at in on for to from by with this that these those "
        "there here however when while where then his her its our my your their what who why how not no yes one "
        "after before also although because since yet still it's that's he's she's i'm we're they're let's please"
    ).split()
)
_HEADING = re.compile(
    r"#{1,6}\s|第\s?[0-9零一二三四五六七八九十百千两]{1,8}\s?[章节節回卷部篇集幕話话]"
    r"|(?:chapter|part|section|act|scene|book|volume|appendix)\s+(?:[0-9]+|[ivxlc]+|[a-z]|one|two|three)\b",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[0-9a-zA-Z]{1,3}[.)][^\S\n]")
_HEADING_WIDTH, _WRAP_WIDTH = 60, 40


class Boundary(NamedTuple):
    """A place where text may be cut: after `at`, at a mark or line end of this kind (a key of PAUSES)."""

    at: int
    kind: str


def pause_tags(text: str) -> list[tuple[int, int, float]]:
    """Start, end and seconds of the tags [pause], [pause 0.5s], [pause 500ms]; other bracketed words are text.

    Raises UserError for a tag with a number that is malformed or outside 0 to 10 s.
    """
    found = []
    for match in _TAG.finditer(text):
        length = (match[1] or "").strip()
        if length and length[0] not in "+-.0123456789":
            continue
        seconds = PAUSES["tag"]
        if length:
            number = _LENGTH.fullmatch(length)
            if number is None:
                raise _bad(match, "not a length of time", "write [pause 0.5s] or [pause 500ms]")
            seconds = float(number[1]) / (1000 if number[2].lower() == "ms" else 1)
            if seconds > LONGEST_PAUSE:
                raise _bad(match, "too long", f"a pause lasts 0 to {LONGEST_PAUSE:g} s")
        found.append((*match.span(), seconds))
    return found


def _bad(match: re.Match[str], what: str, hint: str) -> UserError:
    return UserError(f"pause tag {match[0]!r} at character {match.start() + 1}: {what}", hint)


def boundaries(text: str, closing: Collection[int] = ()) -> tuple[list[Boundary], list[tuple[int, int]]]:
    """Where a text may be cut, in order, and the line ends inside a sentence (wrapped text), as (start, end).

    closing: places of straight quotes that close a quotation; they stay with the mark before them.
    """
    found: list[Boundary] = []
    wraps: list[tuple[int, int]] = []
    line, row, fresh, done = 0, 0, True, 0
    for match in _CANDIDATE.finditer(text):
        start, stop = match.span()
        if stop <= done:
            continue
        if match["mark"]:
            done = _extended(text, stop, closing)
            if kind := _mark_kind(text, start, stop, done):
                found.append(Boundary(done, kind))
            continue
        wrapped, row = _is_wrap(text, row, start, stop), stop
        if wrapped:
            wraps.append((start, stop))
            continue
        kind = line_kind(match[0])
        if _is_heading(text[line:start].strip(), fresh and kind == "paragraph" and stop < len(text)):
            kind = "heading"
        while found and found[-1].at > line and not text[found[-1].at : start].strip():
            found.pop()
        found.append(Boundary(start, kind))
        line, fresh = stop, kind != "line"
    return found, wraps


def _extended(text: str, stop: int, closing: Collection[int]) -> int:
    """End of a run of marks with the quotes, brackets and further marks that close with it."""
    while stop < len(text):
        character = text[stop]
        single = character == "'" and not text[stop + 1 : stop + 2].isalnum()
        dot = character == "." and text[stop - 1] in CLOSERS + '"'
        tag = _CLOSING.match(text, stop)
        if not (tag or single or dot or stop in closing or character in CLOSERS + _STRONG + "…"):
            break
        stop = tag.end() if tag else stop + 1
    return stop


def _mark_kind(text: str, start: int, stop: int, end: int) -> str | None:
    """What a run of marks text[start:stop] that closes at `end` is; None when it is part of a word."""
    run, after = text[start:stop], text[end : end + 1]
    if after and after in _LISTED + _COMMAS + "；;":
        return None  # that mark is the place
    glued = after.isascii() and after.isalnum()
    word = _NEXT.match(text, end)
    following = (word[1] if word else None) or ""
    if any(mark in _STRONG for mark in run):
        if glued and not after.isupper() and run.isascii():
            return None
        quoted = end > stop and _SAID.match(text, end)
        return "comma" if quoted or following[:1].islower() else "sentence"
    if len(run) > 1 and any(mark in _DOTS for mark in run) or run in "…⋯‥":
        closed = end > stop and not _SAID.match(text, end)
        new = text[end : end + 1].isspace() and (following[:1].isupper() or not following)
        return "sentence" if closed or new or end == len(text) else "clause"
    if run in ".．":
        return _dot_kind(text, start, after, glued, following)
    if run[0] in _LISTED:
        return "list"
    if run[0] in _COMMAS:
        return None if after.isdigit() and text[start - 1 : start].isdigit() and glued else "comma"
    if run[0] in _CLAUSES:
        return None if glued and run.isascii() else "clause"
    apart = text[start - 1 : start].isspace() and after.isspace()
    return "clause" if run[0] in "—―" or len(run) > 1 or apart else None


def _dot_kind(text: str, start: int, after: str, glued: bool, following: str) -> str | None:
    """Whether one dot ends a sentence or belongs to an abbreviation, an initial or a name."""
    before = text[max(0, start - 16) : start]
    if glued or (after and after in "/\\@_"):
        return None
    if WIDE.match(after):
        return None if before[-1:].isdigit() else "sentence"
    if not following:
        return "sentence"
    found = _WORD_BEFORE.search(before)
    word = found[0].lower() if found else ""
    if word in _TITLES or (word in _BEFORE_NUMBER and following[0].isdigit()):
        return None
    if word and (re.fullmatch(r"[a-z](\.[a-z])*", word) or word in _OFTEN_INSIDE):
        return "sentence" if following.lower().replace("’", "'") in _STARTERS and following[0].isupper() else None
    return "comma" if following[0].islower() else "sentence"


def line_kind(run: str) -> str:
    """A blank line, or an indent of two wide spaces, makes a paragraph of a line end."""
    ends = sum(run.count(end) for end in NEWLINES) - run.count("\r\n")
    apart = ends > 1 or run.endswith("\u3000\u3000") or "\u2029" in run or "\x0c" in run
    return "paragraph" if apart else "line"


def _is_wrap(text: str, line: int, start: int, stop: int) -> bool:
    """Whether a line end only wraps a line: no mark stands before, and the line is long or a small letter goes on."""
    end, goes_on = text[start - 1 : start], text[stop : stop + 1]
    small = start - line >= _WRAP_WIDTH and goes_on.islower()
    full = 60 <= start - line <= 100 and goes_on.isalnum() and not (WIDE.match(goes_on) or _ITEM.match(text, stop))
    return (small or full) and line_kind(text[start:stop]) == "line" and (end.isalnum() or end in ",;-")


def _is_heading(line: str, alone: bool) -> bool:
    """Short, without a closing mark, and either named as a heading or a paragraph of its own before another."""
    if not line or len(line) > _HEADING_WIDTH or line[-1] in _STRONG + _DOTS + _COMMAS + _LISTED + "；;":
        return False
    wide = len(WIDE.findall(line))
    return bool(_HEADING.match(line)) or (alone and wide <= 24 and line[-1] not in CLOSERS + '":：')


def pairs(text: str) -> tuple[list[tuple[int, int]], list[tuple[int, int, int, int]], set[int]]:
    """Quotations and brackets, [start, end), within paragraphs; spans [en]...[/en]; places of closing straight quotes.

    A language span is (start, end of its opening tag, start of its closing tag, end).
    """
    found: list[tuple[int, int]] = []
    tagged: list[tuple[int, int, int, int]] = []
    closing: set[int] = set()
    stack: list[tuple[str, int]] = []
    opened: dict[str, re.Match[str]] = {}
    for match in _PAIRED.finditer(text):
        sign, place = match[0], match.start()
        if len(sign) > 1 and sign[0] == "[":
            name = sign.strip("[/]").lower()
            if "/" not in sign:
                opened.setdefault(name, match)
            elif first := opened.pop(name, None):
                while tagged and tagged[-1][0] > first.start():  # of nested ones only the outer
                    tagged.pop()
                tagged.append((first.start(), first.end(), place, match.end()))
        elif sign[0] in NEWLINES:
            stack = stack if line_kind(sign) == "line" else []
        elif sign in OPENERS:
            stack.append((sign, place))
        elif not (sign == "’" and text[place - 1 : place].isalnum() and text[place + 1 : place + 2].isalnum()):
            near = [opener for opener, _ in stack[-_DEPTH:]]
            opener = _OPENER_OF.get(sign, sign)
            if opener in near:
                del stack[len(stack) - near[::-1].index(opener) :]
                found.append((stack.pop()[1], place + 1))
                closing |= {place} if sign == '"' else set()
            elif sign == '"' and not text[place - 1 : place].isdigit():
                stack.append((sign, place))
    return found, tagged, closing
