"""Texts as a format holds them become lines: marks, speakers, chapters, gaps and sentences, the same for all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.scripts import sentences
from pipeline.scripts.cast import Cast, refuse_unknown_voice
from pipeline.scripts.lines import MAX_CHARACTERS, How, Place, Script, ScriptLine, has_words, tidy
from pipeline.scripts.markup import Said, read_marks, shown
from pipeline.scripts.values import PAUSES
from voice.errors import UserError
from voice.text.pauses import WIDE, pause_tags

_REFERENCE = ("ref", "ref_text")


@dataclass
class Builder:
    """Takes a script from its beginning to its end; `script()` is what came of it.

    `place` says where texts stand; `voices` are the known ones, None when they are not to be checked.
    """

    place: Place
    cast: Cast | None = None
    voices: Collection[str] | None = None
    lines: list[ScriptLine] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _chapters: list[str] = field(default_factory=list)
    _title: str | None = ""  # of the chapter that the next line begins, None inside of one
    _gap: str = "line"
    _pause: float = 0.0
    _standing: dict[str, Any] = field(default_factory=dict)
    _wordless: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """The script's file."""
        return self.place.path

    @property
    def title(self) -> str:
        """Of the chapter that the next line is in."""
        return self._chapters[-1] if self._title is None else self._title

    def chapter(self, title: str) -> None:
        """The next line begins a chapter; one without a line is none."""
        self._title = shown(title)

    def paragraph(self) -> None:
        """The next line begins a paragraph."""
        self._gap = "paragraph"

    def warn(self, number: int, text: str) -> None:
        """Note what is left out."""
        self.warnings.append(f"{self.place.at(number)}: {text}")

    def block(self, number: int, text: str, *, step: int = 0, split: bool = True, named: bool = True) -> None:
        """A paragraph. Its line ends only wrap it, unless marks or a name begin a line; `step` lines are between them.

        With `split` it is cut into sentences, else only when it is too long; without `named` no speaker is looked for.
        """
        group, first, said = list[str](), number, Said({}, None, "")
        for row, raw in enumerate(text.split("\n")):
            here = number + row * step
            found = read_marks(tidy(raw), self.path.parent, self.cast if named else None, self.place.at(here))
            if not found.plain:
                self._spoken(first, group, said, split)
                group, first, said = [], here, found
                if not found.text:
                    self._stand(found.marks, self.place.at(here))
                    said = Said({}, None, "")
            first = first if group else here
            group += [found.text] if found.text else []
        self._spoken(first, group, said, split)

    def add(self, number: int, text: str, how: How, *, split: bool = False, **slot: Any) -> None:
        """One text with how it is said; `slot`: pause, start, end. Raises UserError for a bad pause or no place to cut.

        One without a letter or digit only makes a paragraph, one of pause tags a pause before the next.
        """
        where = self.place.at(number)
        refuse_unknown_voice(how.voice, self.voices, where)
        try:
            tags = pause_tags(text) if "[" in text else []
            words = has_words(_without(text, tags))
            self._wait(slot.pop("pause", 0.0) + (0.0 if words else sum(seconds for *_, seconds in tags)))
            if not words:
                if not tags:
                    self._wordless.append(where)
                    self.paragraph()
                return
            parts = sentences.cut(text, how.lang) if split or len(text) > MAX_CHARACTERS else [text]
        except UserError as error:
            raise UserError(f"{where}: {error.message}", error.hint) from error
        for part in parts:
            self._append(number, part, how, slot)

    def script(self) -> Script:
        """All of it. Raises UserError when there is nothing to speak."""
        if not self.lines:
            raise UserError(f"{self.path}: no line to speak", "write one sentence or more")
        if self._pause:
            self.warnings.append(f"{self.path}: a pause after the last line is left out")
        if self._wordless:
            count = len(self._wordless)
            self.warnings.append(f"{self._wordless[0]}: no letter or digit, taken for a break ({count} such in all)")
        return Script(self.path, tuple(self._chapters), tuple(self.lines), tuple(self.warnings))

    def how(self, said: Said) -> How:
        """How a line is said: by its marks, else its speaker, else the marks that stand, else the narrator."""
        standing, role = self._standing, said.role
        narrator = self.cast.narrator if self.cast else How()
        base = _over(narrator, standing, narrator)
        if role is not None:
            own = role.how
            base = How(own.voice, own.lang or base.lang, own.ref, own.ref_text, own.speed or base.speed, base.seed)
        return _over(base, said.marks, narrator)

    def _spoken(self, number: int, lines: list[str], said: Said, split: bool) -> None:
        if lines:
            self.add(number, _joined(lines), self.how(said), split=split)

    def _stand(self, marks: Mapping[str, Any], where: str) -> None:
        """Marks on a line of their own hold from here on."""
        refuse_unknown_voice(marks.get("voice"), self.voices, where)
        for name in _REFERENCE if "voice" in marks else ():
            self._standing.pop(name, None)
        self._standing |= marks

    def _wait(self, seconds: float) -> None:
        """Lengthen the pause before the next line."""
        self._pause += seconds
        if self._pause > PAUSES[1]:
            raise UserError(f"pauses of {self._pause:g} s without a word", f"at most {PAUSES[1]:g} s in all")

    def _append(self, number: int, text: str, how: How, slot: dict[str, Any]) -> None:
        gap = "start" if not self.lines else self._gap
        if self._title is not None:
            gap = gap if gap == "start" else "chapter"
            self._chapters.append(self._title)
        self.lines.append(
            ScriptLine(
                len(self.lines) + 1, number, len(self._chapters) - 1, text, gap, how.voice, how.lang, how.ref,
                how.ref_text, 1.0 if how.speed is None else how.speed, self._pause, how.seed,
                slot.get("start"), slot.get("end"),
            )
        )  # fmt: skip
        self._title, self._gap, self._pause = None, "line", 0.0


def _over(base: How, marks: Mapping[str, Any], narrator: How) -> How:
    """`base` with what the marks say; None gives the narrator's. A voice ends the reference of the one before."""
    if not marks:
        return base
    own = {name: getattr(narrator, name) if value is None else value for name, value in marks.items()}
    if "voice" in marks:
        others = {name: None if marks["voice"] else getattr(narrator, name) for name in _REFERENCE}
        own = others | own
    return replace(base, **own)


def _without(text: str, spans: list[tuple[int, int, float]]) -> str:
    for start, end, _ in reversed(spans):
        text = text[:start] + text[end:]
    return text


def _joined(lines: list[str]) -> str:
    """Wrapped lines in one; between signs that stand without spaces, as Chinese ones do, comes none."""
    parts = lines[:1]
    for before, after in pairwise(lines):
        parts += ["" if WIDE.match(before[-1]) and WIDE.match(after[0]) else " ", after]
    return "".join(parts)
