"""The words of a transcript as they are written, each with the units of its sound."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from voice.text import Reading
from voice.text.units import units_of
from voice.transcript import Token, join, tokens

Units = Callable[[str, Sequence[str]], list[int]]


@dataclass(frozen=True)
class Word:
    """A written word and the CTC units of its sound (none for a sign that is not spoken)."""

    token: Token
    units: tuple[int, ...]


def _phone_units(_: str, phones: Sequence[str]) -> list[int]:
    return units_of(phones)


def script_words(
    lines: Sequence[str], read: Callable[[str], Reading], units: Units = _phone_units
) -> tuple[list[Word], list[str]]:
    """Words of all lines with their units, and notes about words that had to be read out of context.

    `read` turns text into a Reading; it sees whole lines, for readings that depend on context. `units` gives the units
    of one spoken word from its spelling and its phones.
    """
    words: list[Word] = []
    notes: list[str] = []
    for line in lines:
        written = tokens(line)
        if written and written[0].text[0].isascii():  # a line break stands for a blank between Latin words
            written[0] = Token(written[0].text, spaced=True)
        reading = read(line)
        notes += reading.warnings
        spoken = _line_units(written, reading, read, units, notes)
        words += [Word(token, tuple(found)) for token, found in zip(written, spoken, strict=True)]
    return words, notes


def _entries(reading: Reading, units: Units) -> list[tuple[str, list[int]]]:
    """(word, units) of each sounding entry of a reading."""
    found = []
    at = 0
    for word, count in zip(reading.words, reading.word2ph, strict=True):
        spoken = units(word, reading.phones[at : at + count])
        at += count
        if spoken:
            found.append((Token(word, False).core or word, spoken))
    return found


def _line_units(
    written: list[Token],
    reading: Reading,
    read: Callable[[str], Reading],
    units: Units,
    notes: list[str],
) -> list[list[int]]:
    """Units of each written word: matched to the entries of the line's reading, else read by itself."""
    entries = _entries(reading, units)
    if len(entries) == len(written):
        return [spoken for _, spoken in entries]
    result: list[list[int]] = [[] for _ in written]
    matcher = difflib.SequenceMatcher(None, [t.core for t in written], [name for name, _ in entries], autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        spoken = [sounds for _, sounds in entries[j1:j2]]
        if kind == "equal":
            result[i1:i2] = spoken
        elif i2 - i1 == 1:  # one written word, several spoken ones: a number, a hyphen
            result[i1] = list(chain(*spoken))
        elif i2 > i1:
            for i in range(i1, i2):
                result[i] = list(chain(*(sounds for _, sounds in _entries(read(written[i].text), units))))
            notes.append(f"read word by word, out of context: {join(written[i1:i2])}")
        elif i1 > 0:
            result[i1 - 1] = [*result[i1 - 1], *chain(*spoken)]
        else:
            notes.append(f"{len(spoken)} spoken units before the first word of: {join(written)}")
    return result
