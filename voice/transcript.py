"""The transcript of a voice: its lines, and its words as they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from voice.errors import UserError
from voice.transcripts.load import plain_text

# one Chinese character, or a run of anything else that is not blank; marks stay with the word before them
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
_PIECE = re.compile(rf"[{_HAN}][^\w\s]*|[^\s{_HAN}]+")


@dataclass(frozen=True)
class Token:
    """One written word or Chinese character with its punctuation; `spaced` when a blank stands before it."""

    text: str
    spaced: bool

    @property
    def core(self) -> str:
        """The token without punctuation, in lower case: what it is compared by."""
        return "".join(c for c in self.text if c.isalnum()).casefold()


def read_transcript(path: Path) -> list[str]:
    """The non-empty lines of a plain transcript, stripped; a line all in capitals is brought to lower case.

    Raises UserError when the file is missing, is no Unicode text (UTF-8, or UTF-16 with its mark), holds no letter or
    digit, or holds subtitles or a list. `voice.transcripts` reads every format.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: no transcript",
            "write the spoken words into this file, one sentence a line",
        )
    return [line for _, line in plain_text(path)]


def tokens(line: str) -> list[Token]:
    """Split a line into written words; a mark that stands alone joins the word before it (or after)."""
    found: list[Token] = []
    pending = ""
    for match in _PIECE.finditer(line):
        spaced = match.start() > 0 and line[match.start() - 1].isspace()
        if any(c.isalnum() for c in match.group()):
            found.append(Token(pending + match.group(), spaced))
            pending = ""
        elif found:
            gap = " " if spaced else ""
            found[-1] = Token(found[-1].text + gap + match.group(), found[-1].spaced)
        else:
            pending += match.group()
    return found


def join(parts: list[Token]) -> str:
    """The tokens as running text again, without a blank at its start."""
    return "".join((" " if part.spaced and i else "") + part.text for i, part in enumerate(parts))
