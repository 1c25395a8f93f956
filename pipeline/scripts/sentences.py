"""A paragraph to the sentences that are its lines."""

from __future__ import annotations

import re

from pipeline.scripts.lines import MAX_CHARACTERS
from voice.errors import UserError
from voice.text.pauses import CLOSERS, HAN
from voice.text.split import TINY, Piece, split_text

_ENDS = "。｡！!？?.．…⋯‥"
_WITHIN = {"clause", "comma", "list", "word"}  # kinds of pieces that end inside of a sentence
_RUN = re.compile(rf"[^\s{HAN}぀-ヿ]+")  # scripts without spaces can be cut between words all the same


def cut(text: str, lang: str | None = None) -> list[str]:
    """The sentences of a text without line ends, in order, with all their marks; one above MAX_CHARACTERS is cut again.

    Sentences shorter than voice.text.split.TINY go with a neighbour. Raises UserError for a bad pause tag, and where
    more than MAX_CHARACTERS have no place to be cut.
    """
    if not _ends_inside(text):
        return _fitting(text, lang or "auto")
    lines, ready = [], ""
    pieces = split_text(text, lang or "auto", TINY)
    for piece, whole in zip(pieces, _with_tags(text, pieces), strict=True):
        ready += whole
        if piece.kind not in _WITHIN and (piece.kind != "tag" or _closed(piece.text)):
            lines += _fitting(ready.strip(), lang or "auto")
            ready = ""
    return lines + (_fitting(ready.strip(), lang or "auto") if ready.strip() else [])


def _with_tags(text: str, pieces: list[Piece]) -> list[str]:
    """Each piece with the pause tags and spaces up to the next, which `split_text` takes out."""
    starts = [piece.start for piece in pieces[1:]] + [len(text)]
    found = [piece.text + text[piece.end : start] for piece, start in zip(pieces, starts, strict=True)]
    return [text[: pieces[0].start] + found[0], *found[1:]] if found else []


def _ends_inside(text: str) -> bool:
    return any(sign in text[:-1] for sign in _ENDS)


def _closed(text: str) -> bool:
    return text.rstrip(CLOSERS + "\"'")[-1:] in tuple(_ENDS)


def _fitting(sentence: str, lang: str) -> list[str]:
    """A sentence that fits, or pieces of it as a voice speaks them."""
    if len(sentence) <= MAX_CHARACTERS:
        return [sentence]
    # One word of that length is no word; cut anywhere, it would be spelled out for minutes.
    if long := next((run[0] for run in _RUN.finditer(sentence) if len(run[0]) > MAX_CHARACTERS), None):
        raise _no_place(long, len(sentence))
    lines = [line.strip() for line in _with_tags(sentence, split_text(sentence, lang))]
    if wrong := next((line for line in lines if len(line) > MAX_CHARACTERS), None):
        raise _no_place(wrong, len(sentence))
    return lines


def _no_place(part: str, length: int) -> UserError:
    return UserError(
        f"{length} characters without a place to cut ({part[:20]!r}...), the limit is {MAX_CHARACTERS}",
        "break it into several lines",
    )
