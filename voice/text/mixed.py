"""One line in one or two languages: runs by script, numbers with their neighbour, each run read alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from voice.text.cleaning import clean, describe
from voice.text.english import is_shouting, read_english
from voice.text.lexicon import UserLexicon
from voice.text.mandarin import read_mandarin
from voice.text.normalise_zh import UNIT_CHOICE
from voice.text.reading import Reading, Span, Unit, build
from voice.text.symbols import MARKS

_LATIN = r"A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ"
_PIECE = re.compile(
    rf"(?P<zh>[㐀-鿿豈-﫿〇々\U00020000-\U000323af]+)"
    rf"|(?P<en>[{_LATIN}]+(?:['.&-][{_LATIN}]+)*(?:'|\.(?=[{_LATIN}\s]|$))?)"
    rf"|(?P<number>[^\w\s!?…,.]{{0,4}}\d(?:[\d.,:/~\-×÷+=]*\d)?(?:\s?(?:[%‰]|℃|°[CF]|(?:{UNIT_CHOICE})(?![{_LATIN}])))?)"
    rf"|(?P<mark>[!?…,.]+)|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)
_CHINESE_MARKS = re.compile("[。，、！？；：]")


@dataclass
class _Piece:
    kind: str
    text: str
    lang: str = ""


def read_line(text: str, lang: str, lexicon: UserLexicon) -> Reading:
    """Reading of one line. lang "zh" or "en" only settles what nothing in the line does: bare numbers."""
    default = lang if lang != "auto" else ("zh" if _CHINESE_MARKS.search(text) else "en")
    cleaned = clean(text)
    units: list[Unit] = []
    spans: list[Span] = []
    unread = ""
    shouting = is_shouting(cleaned)
    for run_lang, run in _runs(cleaned, default):
        if run_lang == "zh":
            found, missed = read_mandarin(run, lexicon.mandarin)
        else:
            found, missed = read_english(run, lexicon.english, shouting)
        if units and found and units[-1].word in MARKS and found[0].word in MARKS:
            found = found[1:]
        if found:
            spans.append(Span(run_lang, run.strip(), len(units), len(units) + len(found)))
        units += found
        unread += missed
    warnings = [f"cannot read {describe(unread)}"] if unread else []
    if all(unit.word in MARKS for unit in units):
        warnings.append("there is nothing to read")
        units, spans = [], []
    return build(text, units, spans, warnings)


def _runs(text: str, default: str) -> list[tuple[str, str]]:
    """(language, text) of neighbouring pieces of one language."""
    pieces = [_Piece(match.lastgroup or "other", match[0]) for match in _PIECE.finditer(text)]
    for piece in pieces:
        piece.lang = piece.kind if piece.kind in ("zh", "en") else ""
    for place, piece in enumerate(pieces):
        if piece.kind == "number":
            piece.lang = _number_lang(pieces, place, default)
    current = next((piece.lang for piece in pieces if piece.lang), default)
    runs: list[tuple[str, str]] = []
    for piece in pieces:
        current = piece.lang or current
        if runs and runs[-1][0] == current:
            runs[-1] = (current, runs[-1][1] + piece.text)
        else:
            runs.append((current, piece.text))
    return runs


def _number_lang(pieces: list[_Piece], place: int, default: str) -> str:
    """Language of a number: the neighbour it touches, else the one in its own phrase, the previous first."""
    before, mark_before = _neighbour(pieces, range(place - 1, -1, -1))
    after, mark_after = _neighbour(pieces, range(place + 1, len(pieces)))
    if place and pieces[place - 1].lang:
        return pieces[place - 1].lang
    if place + 1 < len(pieces) and pieces[place + 1].lang:
        return pieces[place + 1].lang
    if before and after and mark_before and not mark_after:
        return after
    return before or after or default


def _neighbour(pieces: list[_Piece], places: range) -> tuple[str, bool]:
    """Nearest language in a direction, and whether a mark lies between."""
    marked = False
    for place in places:
        if pieces[place].lang:
            return pieces[place].lang, marked
        marked = marked or pieces[place].kind == "mark"
    return "", marked
