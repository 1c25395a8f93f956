"""A script to narrate: plain text, one line spoken after another, blank lines make a longer pause."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from voice.errors import UserError

MAX_CHARACTERS = 2000  # a longer line is a paste without line breaks, and one wrong word would cost minutes


@dataclass(frozen=True)
class ScriptLine:
    """`index` counts spoken lines from 1, `number` lines of the file; `gap`: start, line or paragraph."""

    index: int
    number: int
    text: str
    gap: str


def read_script(path: Path) -> list[ScriptLine]:
    """The spoken lines of a UTF-8 text file, in order, in Unicode NFC with single spaces.

    Raises UserError when the file is missing, not UTF-8, says nothing, or has a line above MAX_CHARACTERS.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such script", "give the path of a text file")
    data = path.read_bytes()
    try:
        whole = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {number}: not UTF-8 text", "save it as UTF-8") from error
    lines: list[ScriptLine] = []
    gap = "start"
    for number, raw in enumerate(whole.splitlines(), start=1):
        text = " ".join(unicodedata.normalize("NFC", raw).split())
        if not text:
            gap = "paragraph" if lines else gap
            continue
        if len(text) > MAX_CHARACTERS:
            raise UserError(
                f"{path}, line {number}: {len(text)} characters, the limit is {MAX_CHARACTERS}",
                "break it into several lines",
            )
        lines.append(ScriptLine(len(lines) + 1, number, text, gap))
        gap = "line"
    if not lines:
        raise UserError(f"{path}: no line to speak", "write one sentence or more")
    return lines
