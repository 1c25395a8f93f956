"""Subtitles of a narration: SubRip and WebVTT with one cue a sentence, in WebVTT with the time of each word."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voice.mastering.chapters import clock_ms
from voice.mastering.words import one_line

_LONGEST = 1 << 16  # bytes of a cue


@dataclass(frozen=True)
class Word:
    """A word as it stands in the cue's text, its times in seconds of the whole file."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Cue:
    """A sentence, its times in seconds of the whole file, and its words where an aligner told them."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()


def srt(cues: Sequence[Cue]) -> str:
    """SubRip. An arrow in a text, which would pass for times, is written as one sign."""
    parts = []
    for number, (cue, start, end) in enumerate(_placed(cues), start=1):
        text = one_line(cue.text, _LONGEST).replace("-->", "→")
        parts.append(f"{number}\n{clock_ms(start, ',')} --> {clock_ms(end, ',')}\n{text}\n")
    return "\n".join(parts)


def vtt(cues: Sequence[Cue]) -> str:
    """WebVTT with a time tag before each word that begins inside its cue, but the first."""
    parts = ["WEBVTT\n"]
    for number, (cue, start, end) in enumerate(_placed(cues), start=1):
        text = _timed(one_line(cue.text, _LONGEST), cue.words, start, end)
        parts.append(f"{number}\n{clock_ms(start)} --> {clock_ms(end)}\n{text}\n")
    return "\n".join(parts)


def _placed(cues: Sequence[Cue]) -> Iterator[tuple[Cue, int, int]]:
    """The cues that have text, in order of time, with whole milliseconds: start < end <= start of the next."""
    spoken = sorted((cue for cue in cues if one_line(cue.text, _LONGEST)), key=lambda cue: cue.start)
    starts: list[int] = []
    for cue in spoken:
        starts.append(max(0, round(cue.start * 1000), starts[-1] + 1 if starts else 0))
    for number, (cue, start) in enumerate(zip(spoken, starts, strict=True), start=1):
        end = max(start + 1, round(cue.end * 1000))
        yield cue, start, min([end, *starts[number : number + 1]])


def _timed(text: str, words: Sequence[Word], start: int, end: int) -> str:
    """`text`, escaped, with <time> before the words found in it; the standard wants times that rise inside the cue."""
    out: list[str] = []
    at, last = 0, start
    for word in words:
        spelt = one_line(word.text)
        place = text.find(spelt, at) if spelt else -1
        if place < 0:
            continue  # the aligner knows it by another spelling
        when = round(word.start * 1000)
        out.append(html.escape(text[at:place], quote=False))
        if last < when < end:
            out.append(f"<{clock_ms(when)}>")
            last = when
        out.append(html.escape(spelt, quote=False))
        at = place + len(spelt)
    return "".join(out) + html.escape(text[at:], quote=False)
