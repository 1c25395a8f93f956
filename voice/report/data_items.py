"""One segment as the data report shows it: sound, pictures, and the command that corrects it."""

from __future__ import annotations

import base64
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from voice.columns import ID
from voice.report.data_sound import Size, draw
from voice.report.data_tables import Row, number, word
from voice.report.data_timeline import clock


@dataclass(frozen=True)
class Item:
    """A segment: its row, sound ("" without one), pictures as base64 ("" without), commands that correct it, marks."""

    row: Row
    name: str
    text: str
    place: str
    sound: str
    wave: str
    spectrogram: str
    commands: list[str]
    marks: list[str]


def make_item(voice: str, folder: Path, row: Row, size: Size | None) -> Item:
    """The segment of `row`; its sound lies in `folder`/segments, or is a part of `folder`/clean/<recording>.flac.

    Pictures are drawn where `size` is given and there is sound.
    """
    name, text = word(row, "id"), word(row, "text")
    link, file, span = _sound(folder, row)
    pictures = draw(file, size, span) if size and file else None
    wave, spectrogram = (pictures.wave, pictures.spectrogram) if pictures else (b"", b"")
    return Item(
        row,
        name,
        text,
        place(row),
        link,
        base64.b64encode(wave).decode(),
        base64.b64encode(spectrogram).decode(),
        corrections(voice, row),
        _marks(row),
    )


def corrections(voice: str, row: Row) -> list[str]:
    """The commands for a segment: other words (the present ones stand there to be changed), and to turn it round."""
    turn = "--accept" if word(row, "reason") else "--reject"
    start = f"reprovoice data edit {shlex.quote(voice)} {shlex.quote(word(row, 'id'))}"
    end = "--who 'your name' --why 'what was wrong'"
    return [f"{start} --text {shlex.quote(word(row, 'text'))} {end}", f"{start} {turn} {end}"]


def raw_sound(voice: str, row: Row) -> str:
    """Link from data/<voice> to a recording as it was given, "" for a path that leaves its folder."""
    parts = Path(word(row, "file")).parts
    if not parts or ".." in parts or parts[0] == "/":
        return ""
    return "/".join(["../raw", quote(voice), *(quote(part) for part in parts)])


def _sound(folder: Path, row: Row) -> tuple[str, Path | None, tuple[float, float] | None]:
    """Link, file, and the seconds of it that are the segment (None: all); ("", None, None) without sound."""
    own = folder / "segments" / f"{word(row, 'id')}.flac"
    if _is_name(word(row, "id")) and own.is_file():
        return f"segments/{quote(own.name)}", own, None
    # What was never cut out is heard from its recording.
    whole = folder / "clean" / f"{word(row, 'recording')}.flac"
    start, end = number(row, "start"), number(row, "end")
    if start is None or end is None or end <= start or not _is_name(word(row, "recording")) or not whole.is_file():
        return "", None, None
    return f"clean/{quote(whole.name)}#t={start:.2f},{end:.2f}", whole, (start, end)


def _is_name(text: str) -> bool:
    """Whether a table's text may be part of a path."""
    return re.fullmatch(ID, text) is not None


def place(row: Row) -> str:
    """Recording and time of a segment."""
    start, end = number(row, "start"), number(row, "end")
    if start is None or end is None:
        return word(row, "recording")
    return f"{word(row, 'recording')}, {clock(start)} to {clock(end)}"


def _marks(row: Row) -> list[str]:
    marks = [name for name in ("draft", "edited") if row.get(name) is True]
    return (["held out"] if row.get("split") == "held_out" else []) + marks
