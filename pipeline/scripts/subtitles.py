"""Subtitles, SubRip and WebVTT: a cue is a line with a slot of time. Tags and places on the screen are taken out."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.scripts.build import Builder
from pipeline.scripts.lines import MAX_CHARACTERS, has_words, tidy
from pipeline.scripts.markup import read_marks
from voice.errors import UserError
from voice.transcripts.model import Fault, Row
from voice.transcripts.subtitles import read_subtitles

_LEFT_OUT = ("no_text", "not_speech")
_MAX_SECONDS = 1e6


class _Cue(NamedTuple):
    number: int  # place in the file, from 1
    line: str
    start: float
    end: float


def read_cues(text: str, builder: Builder) -> None:
    """Add the cues in order. Cues without words, or with a sound such as [laughs], are left out with a warning.

    Raises UserError for a cue that cannot be read, that ends before it begins, or that begins before the one before
    it ends: two lines cannot be spoken at once.
    """
    before: _Cue | None = None
    number = 0
    for row in _rows(text, builder):
        line = row.where.rpartition(": ")[2]
        if isinstance(row, Fault):
            if row.reason not in _LEFT_OUT:
                raise UserError(f"{builder.path}, {line}: {row.detail}", "mend the cue")
            builder.warnings.append(f"{builder.path}, {line}: {row.detail}, left out")
            number += 1
            continue
        number += 1
        cue = _Cue(number, line, float(str(row.start)), float(str(row.end)))
        words = tidy(row.text if isinstance(row.text, str) else "")
        if not has_words(words):
            builder.warnings.append(f"{builder.path}, {line}: no letter or digit, left out")
            continue
        _refuse_times(cue, before, builder)
        said = read_marks(words, builder.path.parent, builder.cast, f"{builder.path}, {line}")
        if len(said.text) > MAX_CHARACTERS:  # cut, its parts would have one slot
            raise UserError(
                f"{builder.path}, {_name(cue)}: above {MAX_CHARACTERS} characters", "make several cues of it"
            )
        builder.add(number, said.text, builder.how(said), start=cue.start, end=cue.end)
        before = cue


def _rows(text: str, builder: Builder) -> list[Row | Fault]:
    try:
        return list(read_subtitles(text, builder.path))
    except UserError as error:  # its hint is for transcripts
        raise UserError(error.message, "a cue is a line 00:00:01,000 --> 00:00:02,500 and, below, its words") from error


def _refuse_times(cue: _Cue, before: _Cue | None, builder: Builder) -> None:
    if not cue.start < cue.end <= _MAX_SECONDS:
        raise UserError(f"{builder.path}, {_name(cue)}: ends before it begins", "mend its times")
    if before is not None and cue.start < before.end:
        raise UserError(
            f"{builder.path}: {_name(before)} and {_name(cue)} overlap",
            "end one before the other begins, and keep them in order of time",
        )


def _name(cue: _Cue) -> str:
    return f"cue {cue.number} ({cue.line}, {_clock(cue.start)} to {_clock(cue.end)})"


def _clock(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"
