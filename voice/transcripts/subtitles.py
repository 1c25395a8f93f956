"""Rows of SubRip (.srt) and WebVTT (.vtt) subtitles, read by webvtt-py.

The library leaves out what it cannot read without a word, so it is given one cue at a time: a cue without result is a
fault with its line.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from voice.errors import UserError
from voice.transcripts.decode import lines_of
from voice.transcripts.model import Fault, Row

_CLOCK = r"(?:\d{1,4}:)?[0-5]?\d:[0-5]\d"
_SRT_TIMES = re.compile(rf"\s*{_CLOCK}[,.]\d{{3}}\s*-->\s*{_CLOCK}[,.]\d{{3}}(?!\d)", re.ASCII)
_VTT_TIMES = re.compile(rf"\s*{_CLOCK}\.\d{{3}}\s*-->\s*{_CLOCK}\.\d{{3}}(?!\d)", re.ASCII)
_OVERRIDE = re.compile(r"\{\\[^}]*\}")  # {\an8}: the place on the screen
_SOUND = re.compile(r"(?:[\[(（【][^\])）】]*[\])）】]|[♪♫#*\s-])+")  # [laughs], ♪
_BLOCKS = ("NOTE", "STYLE", "REGION")


def read_subtitles(text: str, path: Path) -> Iterator[Row | Fault]:
    """Rows with start and end (s) but no recording. Raises UserError for a file without one cue, or no WebVTT file."""
    lines, vtt = lines_of(text), path.suffix.lower() == ".vtt"
    if vtt and not (lines and re.match(r"WEBVTT(?:\s|$)", lines[0])):
        raise UserError(f"{path}: line 1: not WebVTT, which begins with WEBVTT", "SubRip is named transcript.srt")
    arrows = [number for number, line in enumerate(lines) if "-->" in line]
    if not arrows:
        raise UserError(f"{path}: holds no subtitle", "plain text belongs into transcript.txt")
    starts = [_start(lines, arrow, vtt) for arrow in arrows]
    yield from _stray(lines, 1 if vtt else 0, starts[0], path, vtt)
    for arrow, (_, stop) in zip(arrows, pairwise([*starts, len(lines)]), strict=True):
        where = f"{path.name}: line {arrow + 1}"
        end = stop
        if vtt:  # a blank line ends a WebVTT cue; in SubRip the text may hold one
            end = next((i for i in range(arrow, stop) if not lines[i]), stop)
        yield _cue(lines[arrow:end], where, vtt)
        yield from _stray(lines, end, stop, path, vtt)


def _start(lines: Sequence[str], arrow: int, vtt: bool) -> int:
    """The line where a cue begins: that of its number or name when it has one."""
    before = lines[arrow - 1].strip() if arrow else ""
    if not before or "-->" in before or (vtt and arrow == 1):
        return arrow
    named = before.isdecimal() or (vtt and (arrow < 2 or not lines[arrow - 2].strip()))
    return arrow - 1 if named else arrow


def _cue(lines: Sequence[str], where: str, vtt: bool) -> Row | Fault:
    times = (_VTT_TIMES if vtt else _SRT_TIMES).match(lines[0])
    if times is None:
        right = "00:00:01.000 --> 00:00:02.500" if vtt else "00:00:01,000 --> 00:00:02,500"
        return Fault(where, "bad_times", f"{lines[0].strip()!r}: should be like {right}")
    if not any(line.strip() for line in lines[1:]):
        return Fault(where, "no_text", "a subtitle without text")
    head = lines[0] if vtt else _with_hours(times.group())
    body = "\n".join([head, *lines[1:]])
    try:
        source = f"WEBVTT\n\n{body}\n" if vtt else f"1\n{body}\n"
        captions = webvtt.from_buffer(io.StringIO(source), "vtt" if vtt else "srt").captions
    except (MalformedCaptionError, MalformedFileError, ValueError) as error:
        return Fault(where, "bad_row", " ".join(str(error).split()))
    if len(captions) != 1:
        return Fault(where, "bad_row", f"not a subtitle: {lines[0].strip()!r}")
    caption = captions[0]
    said = _OVERRIDE.sub("", html.unescape(caption.text))
    said = " ".join(part.strip() for part in said.split("\n"))
    if said.strip() and _SOUND.fullmatch(said):
        return Fault(where, "not_speech", f"{said.strip()!r} only describes a sound")
    start, end = (time.in_milliseconds() / 1000 for time in (caption.start_time, caption.end_time))
    return Row(where, said, start=start, end=end)


def _with_hours(times: str) -> str:
    """SubRip times always have hours; some programs leave them out."""
    return " --> ".join(t if t.count(":") == 2 else f"00:{t}" for t in map(str.strip, times.split("-->")))


def _stray(lines: Sequence[str], start: int, stop: int, path: Path, vtt: bool) -> Iterator[Fault]:
    """Faults for blocks between cues that are neither blank nor a comment or style of WebVTT."""
    if vtt and start == 1:  # the header goes on to the first blank line
        start = next((i for i in range(start, stop) if not lines[i].strip()), stop)
    at = start
    while at < stop:
        if not lines[at].strip():
            at += 1
            continue
        end = next((i for i in range(at, stop) if not lines[i].strip()), stop)
        if not (vtt and lines[at].startswith(_BLOCKS)):
            yield Fault(f"{path.name}: line {at + 1}", "stray_text", f"{lines[at].strip()!r} belongs to no subtitle")
        at = end
