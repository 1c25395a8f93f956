"""What a line says about how it is spoken: [voice=ann], [lang=zh], [ref=a.wav], [ref_text=...], [speed=1.1], [seed=3].

Marks stand at the start of a line, before or after a speaker's name, and hold for that line (in Markdown and EPUB: up
to the next line with marks or a name in the same paragraph). Marks on a line of their own hold from there on, over
paragraphs and chapters, until the same mark is given again; an empty one, `[voice=]`, ends it. A new voice without a
new `ref` ends the old `ref`, which is another speaker's. Marks of the reader, [pause 0.5s] among them, are not touched.

`NAME: words` is a line of a speaker when a cast has that name. Any other name stays text; only one in capitals, while
there is a cast, is taken for a speaker who is missing in it, and refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.scripts.cast import Cast, Role
from pipeline.scripts.lines import tidy
from pipeline.scripts.values import FIELDS
from voice.errors import UserError
from voice.text.pauses import HAN, LANGUAGE_TAG

_MARK = re.compile(r"\s*\[\s{0,9}([A-Za-z_]{1,20})\s{0,9}=([^\[\]\n]{0,500})\]\s*")
_INSIDE = re.compile(rf"\[\s{{0,9}}(?:{'|'.join(FIELDS)}|pause)\s{{0,9}}=", re.IGNORECASE)
_NAME = re.compile(r"([^:：\[\]{}<>|]{1,60})(:|：)(?!//)\s*")
_SPEAKER = re.compile(r"[^\W\d_](?:[\w .'’-]{0,39}\w)")
_UNSEEN = (
    (_MARK, " "),
    (re.compile(rf"\[pause[^\[\]]{{0,40}}\]|{LANGUAGE_TAG}", re.IGNORECASE), ""),
    (re.compile(r"\{([^{}|\n]+)\|[^{}\n]*\}"), r"\1"),
    (re.compile(rf"(?<=[{HAN}])[(（](?=[^()（）]*[1-5])[a-zêü:1-5 ]{{2,200}}[)）]"), ""),
)


@dataclass(frozen=True)
class Said:
    """A line without its marks: what they say (by name, None ends), its speaker, and the words."""

    marks: Mapping[str, Any]
    role: Role | None
    text: str

    @property
    def plain(self) -> bool:
        """True when the line says nothing about itself."""
        return not self.marks and self.role is None


def read_marks(text: str, folder: Path, cast: Cast | None, where: str) -> Said:
    """Marks and speaker of a line whose references lie in `folder`. Raises UserError that begins with `where`."""
    marks: dict[str, Any] = {}
    text = _leading(text, marks, folder, where)
    role = None
    if cast is not None and (found := _NAME.match(text)):
        role = cast.find(found[1])
        if role is not None:
            text = _leading(text[found.end() :], marks, folder, where)
            if not text:
                raise UserError(f"{where}: {found[1].strip()} says nothing", "write the words after the colon")
        else:
            _refuse_unknown(found, text, cast, where)
    if found := _INSIDE.search(text):
        near = text[found.start() : found.start() + 40]
        if "pause" in found[0].lower():
            raise UserError(f"{where}: {near!r}: unknown mark", "write [pause 0.5s]")
        raise UserError(f"{where}: {near!r} stands inside of a line", "put it at the start, or on a line of its own")
    return Said(marks, role, text)


def shown(text: str) -> str:
    """A text without any mark, as a title is shown."""
    for mark, instead in _UNSEEN:
        text = mark.sub(instead, text)
    return tidy(text)


def marks_end(text: str) -> int:
    """Where the marks at the start of `text` end."""
    end = 0
    while found := _MARK.match(text, end):
        end = found.end()
    return end


def _leading(text: str, marks: dict[str, Any], folder: Path, where: str) -> str:
    """What follows the marks at the start of `text`; they are put into `marks`."""
    while found := _MARK.match(text):
        name, value = found[1].lower(), found[2].strip()
        if name not in FIELDS:
            hint = "write [pause 0.5s]" if name == "pause" else f"known: {', '.join(FIELDS)}"
            raise UserError(f"{where}: {found[0].strip()[:60]}: unknown mark", hint)
        if name in marks:
            raise UserError(f"{where}: [{name}=] is there twice", "keep one of them")
        try:
            marks[name] = FIELDS[name](value, folder) if value else None
        except ValueError as error:
            raise UserError(f"{where}: [{name}={value[:60]}]: {error}", "see the marks of a line") from None
        text = text[found.end() :]
    return text.strip()


def _refuse_unknown(found: re.Match[str], text: str, cast: Cast, where: str) -> None:
    """Raise UserError for a name in capitals before a colon and a space."""
    name = found[1].strip()
    apart = found[2] == "：" or found.end() > found.end(2) or found.end() == len(text)
    if apart and name.isupper() and _SPEAKER.fullmatch(name):
        raise UserError(
            f"{where}: {name} is not in the cast {cast.path}",
            f"known: {', '.join(cast.names) or 'none'}; add the name, or write it in small letters to have it read",
        )
