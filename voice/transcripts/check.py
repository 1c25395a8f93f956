"""Rows as they were written become utterances, or faults with a reason."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence

from voice.transcripts.model import LANGUAGES, Fault, Row, Utterance
from voice.transcripts.names import Names
from voice.transcripts.plain import has_words, tidy

_LONGEST = 1e6  # s, as in the contracts


class _BadRowError(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def check_rows(rows: Iterable[Row | Fault], files: Sequence[str]) -> tuple[list[Utterance], list[Fault]]:
    """Utterances of the good rows, and faults of the others; `files` are the recordings' paths in the folder.

    A row without a file belongs to the only recording. Of several rows with the same recording and times, or for a
    recording as a whole, the first holds.
    """
    names = Names(files)
    good: list[Utterance] = []
    faults: list[Fault] = []
    taken: dict[str, dict[tuple[float, float] | None, str]] = {}
    for row in rows:
        if isinstance(row, Fault):
            faults.append(row)
            continue
        try:
            utterance = _utterance(row, names, files)
            _claim(utterance, taken)
        except _BadRowError as error:
            faults.append(Fault(row.where, error.reason, error.detail))
        else:
            good.append(utterance)
    return good, faults


def _utterance(row: Row, names: Names, files: Sequence[str]) -> Utterance:
    recording = files[0] if row.file is None and len(files) == 1 else _file(row.file, names)
    start, end = _times(row.start, row.end)
    lang = _language(row.lang)
    if row.text is not None and not isinstance(row.text, str):
        raise _BadRowError("no_text", f"text = {row.text!r} is not text")
    text = tidy(row.text or "")
    if not has_words(text):
        raise _BadRowError("no_text", f"no letter or digit in {text[:60]!r}")
    if bad := next((c for c in text if unicodedata.category(c) in ("Cc", "Cs")), ""):
        raise _BadRowError("bad_row", f"the text holds U+{ord(bad):04X}, which is no sign of any script")
    return Utterance(text, recording, start, end, lang, row.where)


def _file(written: object, names: Names) -> str:
    if written is None:
        raise _BadRowError("unknown_recording", "no file is named")
    if not isinstance(written, str):
        raise _BadRowError("unknown_recording", f"file = {written!r} is not text")
    found = names.find(written)
    if isinstance(found, tuple):
        raise _BadRowError(*found)
    return found


def _times(start: object, end: object) -> tuple[float | None, float | None]:
    if start is None and end is None:
        return None, None
    low, high = _seconds("start", start), _seconds("end", end)
    if not low < high:
        raise _BadRowError("bad_times", f"end {high:g} s is not after start {low:g} s")
    return low, high


def _seconds(name: str, value: object) -> float:
    if value is None:
        raise _BadRowError("bad_times", f"no {name}: give both times or none")
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        if isinstance(value, str) and not value.isascii():
            raise ValueError
        number = float(value)
    except (ValueError, OverflowError):
        raise _BadRowError("bad_times", f"{name} = {_short(value)} is not a number of seconds") from None
    if not math.isfinite(number) or not 0 <= number <= _LONGEST:
        raise _BadRowError("bad_times", f"{name} = {_short(value)} is not in [0, {_LONGEST:g}] s")
    return number


def _short(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits is not printed
        text = "a number"
    return text if len(text) <= 40 else text[:37] + "..."


def _language(value: object) -> str | None:
    """Our code; None (that of the voice) when there is none, or `auto`."""
    if value is None:
        return None
    name = value.strip().casefold() if isinstance(value, str) else ""
    if isinstance(value, str) and name in ("", "auto"):
        return None
    if name not in LANGUAGES:
        raise _BadRowError("unknown_language", f"lang = {_short(value)}; known: {', '.join(LANGUAGES)}")
    return LANGUAGES[name]


def _claim(utterance: Utterance, taken: dict[str, dict[tuple[float, float] | None, str]]) -> None:
    """Note that a recording, or a span of it, has its words now."""
    if utterance.recording is None:
        return
    spans = taken.setdefault(utterance.recording, {})
    span = None if utterance.start is None or utterance.end is None else (utterance.start, utterance.end)
    before = spans.get(span) or spans.get(None) or (next(iter(spans.values()), None) if span is None else None)
    if before:
        part = "" if span is None else f", {span[0]:g} to {span[1]:g} s,"
        raise _BadRowError("duplicate", f"{utterance.recording!r}{part} was given words in {before}")
    spans[span] = utterance.where
