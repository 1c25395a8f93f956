"""One line in one or several languages: marks taken out, own words found, each run read alone, warnings gathered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from voice.errors import UserError
from voice.text.cleaning import clean, describe, is_silent
from voice.text.english import is_shouting
from voice.text.foreign import foreign_hint
from voice.text.languages import Run, runs
from voice.text.markup import SWITCH, Marked, parse_marks
from voice.text.overrides import HAN, SIGN, Signs
from voice.text.own_words import OwnWords
from voice.text.reading import Reading, Span, Unit, build
from voice.text.runs import cut_run, read_english_run, read_mandarin_run, said_beside_latin
from voice.text.symbols import MARKS

_MOST_FAULTS = 20
_OTHER_SCRIPT = re.compile(f"{HAN}|[ぁ-ヿ가-힣]")


@dataclass
class _Part:
    """A span in the making; its texts are joined at the end."""

    lang: str
    start: int
    texts: list[str] = field(default_factory=list)
    end: int = 0


@dataclass
class _Line:
    """What has been read of a line so far."""

    units: list[Unit] = field(default_factory=list)
    parts: list[_Part] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, lang: str, text: str, units: list[Unit]) -> None:
        """Units of a run; of two marks that meet the first stays, and runs of one language become one."""
        if self.units and units and self.units[-1].word in MARKS and units[0].word in MARKS:
            units = units[1:]
        if not units:
            return
        if not self.parts or self.parts[-1].lang != lang:
            self.parts.append(_Part(lang, len(self.units)))
        self.units += units
        self.parts[-1].texts.append(text)
        self.parts[-1].end = len(self.units)

    def spans(self) -> list[Span]:
        return [Span(part.lang, "".join(part.texts).strip(), part.start, part.end) for part in self.parts]


def read_line(text: str, lang: str, own: OwnWords) -> Reading:
    """Reading of one line. `lang` settles what the text leaves open: numbers, and what Chinese characters are."""
    marked = parse_marks(text)
    line = _read(text, marked, lang, own)
    line.warnings = [*marked.warnings[:_MOST_FAULTS], *line.warnings]
    if (more := len(marked.warnings) - _MOST_FAULTS) > 0:
        line.warnings.append(f"{more} more marks are ignored")
    if unread := "".join(line.unread):
        line.warnings.append(f"cannot read {describe(unread)}")
    if all(unit.word in MARKS or unit.word.isspace() for unit in line.units):
        line.warnings.append("there is nothing to read")
        line.units, line.parts = [], []
    return build(text, line.units, line.spans(), line.warnings)


def _read(raw: str, marked: Marked, lang: str, own: OwnWords) -> _Line:
    signs = marked.signs
    cleaned = own.mark(clean(marked.text), signs)
    # Among characters of another script capitals are codes, however many there are.
    shouting = not _OTHER_SCRIPT.search(cleaned) and is_shouting(re.sub(f"{SIGN}|{SWITCH}", " ", cleaned))
    line = _Line()
    found = runs(cleaned, lang, signs, raw)
    for before, whole, after in zip([None, *found], found, [*found[1:], None], strict=False):
        if whole.override:
            _add_words(line, whole, signs, shouting)
            continue
        for run, head, tail in _cut(whole, before, after):
            text = said_beside_latin(run.text, head, tail) if run.lang == "zh" else run.text
            units, unread, warnings = _units(replace(run, text=text), signs, own, shouting)
            line.add(run.lang, signs.plain(run.text), units)
            line.unread.append(unread)
            line.warnings += warnings
    line.warnings += foreign_hint(text for part in line.parts if part.lang == "en" for text in part.texts)
    return line


def _cut(whole: Run, before: Run | None, after: Run | None) -> Iterator[tuple[Run, str, str]]:
    """Pieces of a run with what is written before the first and after the last of them."""
    pieces = list(cut_run(whole))
    for place, piece in enumerate(pieces):
        head = before.text[-8:] if before and not place else ""
        yield piece, head, after.text[:8] if after and place == len(pieces) - 1 else ""


def _units(run: Run, signs: Signs, own: OwnWords, shouting: bool) -> tuple[list[Unit], str, list[str]]:
    """Units of a run, the characters nobody could read, and warnings."""
    if run.lang == "zh":
        return read_mandarin_run(run.text, signs)
    if run.lang == "en":
        return read_english_run(run.text, signs, own.english, shouting)
    text = re.sub(SIGN, "", run.text)
    try:
        found, unread = _reader(run.lang)(text)
    except UserError as error:
        if run.mode == run.lang:
            raise
        # Nobody asked for the language: a line with one foreign word in it must still be spoken.
        return [], "".join(c for c in text if not is_silent(c) and c not in MARKS), [str(error)]
    return found, unread, []


def _reader(lang: str) -> Callable[[str], tuple[list[Unit], str]]:
    """The reader of a language whose package is an extra, imported when it is first needed."""
    if lang == "ja":
        from voice.text.japanese import read_japanese

        return read_japanese
    if lang == "ko":
        from voice.text.korean import read_korean

        return read_korean
    from voice.text.cantonese import read_cantonese

    return read_cantonese


def _add_words(line: _Line, run: Run, signs: Signs, shouting: bool) -> None:
    """The words read in place of one; they are read on their own, so no other reading reaches into them."""
    override = run.override
    assert override is not None

    def read(text: str) -> list[Unit]:
        inner = _read(text, Marked(text, Signs(), ()), run.mode, OwnWords())
        line.unread += inner.unread
        line.warnings += inner.warnings
        return inner.units

    groups: list[list[Unit]] = []
    for unit in override.units(read):
        if groups and groups[-1][0].lang == unit.lang:
            groups[-1].append(unit)
        else:
            groups.append([unit])
    for group in groups:
        apart = " " if group[0].lang == "en" else ""
        said = override.word if len(groups) == 1 else apart.join(unit.word for unit in group)
        line.add(group[0].lang, said, group)
    if not groups:
        line.warnings.append(f"no word is read for {override.word!r}: its reading {override.respelling!r} has none")
