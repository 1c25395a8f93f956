"""What a reviewer decided about segments: `edits.jsonl` beside a voice's recordings.

An edit holds for a span of a recording, not for a segment's number, since cutting anew changes the numbers. A reject is
meant to keep something out whatever the cuts are: it holds for every segment that has part of its span. Accepting and
correcting hold only while the segment is the one that was heard.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from voice.columns import ID
from voice.errors import UserError
from voice.files import write_bytes
from voice.transcripts.decode import lines_of
from voice.transcripts.plain import has_words, tidy
from voice.transcripts.rows import json_object

EDITS_FILE = "edits.jsonl"
TOLERANCE = 0.1  # s
_HINT = "correct the line, or remove it; `reprovoice data edit` writes such lines"


def _moment(value: object) -> object:
    """A date and time from ISO 8601 text."""
    if not isinstance(value, str):
        raise ValueError("should be a date and time, as 2026-01-31T12:00:00+00:00")
    try:
        return datetime.datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("should be a date and time, as 2026-01-31T12:00:00+00:00") from error


def _words(value: str) -> str:
    line = tidy(value)
    if not has_words(line):
        raise ValueError("holds no letter or digit")
    if any(0xD800 <= ord(c) < 0xE000 for c in line):
        raise ValueError("holds half a sign (a lone surrogate)")
    return line


Words = Annotated[str, AfterValidator(_words)]
Seconds = Annotated[float, Field(ge=0, le=1e6)]


class Edit(BaseModel):
    """One decision: `recording` is an id, `start` and `end` are seconds in it, `segment` only says which it was."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    recording: str = Field(pattern=rf"^{ID}$")
    start: Seconds
    end: Seconds
    action: Literal["accept", "reject", "text"]
    text: Words | None = None
    who: Words
    when: Annotated[datetime.datetime, BeforeValidator(_moment)]
    why: Words
    segment: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.start < self.end:
            raise ValueError(f"end {self.end:g} is not after start {self.start:g}")
        if (self.action == "text") != (self.text is not None):
            raise ValueError("action 'text' needs `text`, the others have none")
        return self

    def same_span(self, segment: Mapping[str, Any]) -> bool:
        """Whether this was decided about just this segment: start and end agree within TOLERANCE."""
        return (
            segment["recording"] == self.recording
            and round(abs(segment["start"] - self.start), 6) <= TOLERANCE
            and round(abs(segment["end"] - self.end), 6) <= TOLERANCE
        )

    def touches(self, segment: Mapping[str, Any]) -> bool:
        """Whether more than TOLERANCE of this span lies in the segment (of a very short span: half)."""
        if segment["recording"] != self.recording:
            return False
        shared = round(min(segment["end"], self.end) - max(segment["start"], self.start), 6)
        return shared > TOLERANCE or shared >= round((self.end - self.start) / 2, 6) > 0

    def line(self) -> str:
        """The row as it stands in the file."""
        return json.dumps(self.model_dump(mode="json", exclude_none=True), ensure_ascii=False, sort_keys=True) + "\n"


@dataclass(frozen=True)
class Decision:
    """What holds for one segment.

    A reject holds until a later accept of just this segment, and an accept until a later reject. A correction stands
    beside both: it never brings back what was rejected.
    """

    rejected: Edit | None = None
    accepted: Edit | None = None
    corrected: Edit | None = None

    @property
    def text(self) -> str | None:
        """The words in place of the transcript's."""
        return self.corrected.text if self.corrected else None


@dataclass(frozen=True)
class Decisions:
    """Decisions by segment id (segments without one are not in it), and edits that meet no segment.

    `stale`: accepts and corrections whose segment is cut otherwise now; `idle`: rejects that no segment has part of.
    """

    by_segment: Mapping[str, Decision]
    stale: tuple[Edit, ...]
    idle: tuple[Edit, ...]


def apply_edits(segments: Iterable[Mapping[str, Any]], edits: Sequence[Edit]) -> Decisions:
    """What `edits`, in the order of the file, mean for rows with id, recording, start and end (s)."""
    by_recording: dict[str, list[tuple[int, Edit]]] = {}
    for number, edit in enumerate(edits):
        by_recording.setdefault(edit.recording, []).append((number, edit))
    found: dict[str, Decision] = {}
    met: set[int] = set()
    for segment in segments:
        rejected = accepted = corrected = None
        for number, edit in by_recording.get(segment["recording"], ()):
            if not (edit.touches(segment) if edit.action == "reject" else edit.same_span(segment)):
                continue
            met.add(number)
            if edit.action == "reject":
                rejected, accepted = edit, None
            elif edit.action == "accept":
                rejected, accepted = None, edit
            else:
                corrected = edit
        if rejected or accepted or corrected:
            found[segment["id"]] = Decision(rejected, accepted, corrected)
    missed = [edit for number, edit in enumerate(edits) if number not in met]
    return Decisions(
        found,
        stale=tuple(edit for edit in missed if edit.action != "reject"),
        idle=tuple(edit for edit in missed if edit.action == "reject"),
    )


def read_edits(path: Path) -> list[Edit]:
    """The edits of a file in their order, none when there is no file. Raises UserError with line, key, value, rule."""
    return _parse(path.read_bytes(), path) if path.is_file() else []


def append_edit(path: Path, edit: Edit) -> list[Edit]:
    """Add a row, whole or not at all, also beside another process that does so; returns all rows.

    The rows before stay as they are, byte by byte. Raises UserError when one of them is wrong.
    """
    with _alone(path.parent):
        before = path.read_bytes() if path.is_file() else b""
        edits = _parse(before, path)
        gap = b"" if not before or before.endswith(b"\n") else b"\n"
        write_bytes(path, before + gap + edit.line().encode())
    return [*edits, edit]


def make_edit(**values: Any) -> Edit:
    """An edit from plain values, `when` as ISO text. Raises UserError that names the first wrong one."""
    try:
        return Edit.model_validate(values)
    except ValidationError as error:
        raise UserError(_fault(error)) from error


def _parse(data: bytes, path: Path) -> list[Edit]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = data[: error.start].count(b"\n") + 1
        raise UserError(f"{path}: line {at}: not UTF-8 at byte {error.start}", "save it as UTF-8") from error
    found = []
    for number, line in enumerate(lines_of(text), start=1):
        if not line.strip():
            continue
        try:
            found.append(Edit.model_validate(json_object(line)))
        except ValidationError as error:
            raise UserError(f"{path}: line {number}: {_fault(error)}", _HINT) from error
        except ValueError as error:
            raise UserError(f"{path}: line {number}: {error}", _HINT) from error
    return found


def _fault(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(map(str, first["loc"]))
    rule = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key; known: {', '.join(Edit.model_fields)}"
    if first["type"] == "missing":
        return f"{key}: missing"
    given = ascii(first["input"])[:60] if isinstance(first["input"], str | int | float) else ""
    return f"{key}{' = ' + given if given else ''}{': ' if key else ''}{rule}"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time; the folder itself is locked, so that no lock file is left among the recordings."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
