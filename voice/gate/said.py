"""The words of a line with the units of their sounds, as the gate listens for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice.text import Reading
from voice.text.units import units_of

PAUSING = frozenset(",.;:!?…—-，。；：！？、")


@dataclass(frozen=True)
class Said:
    """One word: as written, its CTC units (at least one), and whether a mark that allows a pause follows."""

    word: str
    units: tuple[int, ...]
    pause: bool = False


def said_words(reading: Reading) -> list[Said]:
    """The sounding words of a line in order; Chinese ones are single characters."""
    found: list[Said] = []
    at = 0
    for word, count in zip(reading.words, reading.word2ph, strict=True):
        units = units_of(reading.phones[at : at + count])
        at += count
        if units:
            found.append(Said(word, tuple(units)))
        elif found and any(sign in PAUSING for sign in word):
            found[-1] = Said(found[-1].word, found[-1].units, True)
    return found


def told(words: Sequence[Said]) -> str:
    """Words for a message, with blanks between those of Latin letters."""
    text = ""
    for one in words:
        apart = text and text[-1].isascii() and one.word[:1].isascii()
        text += (" " if apart else "") + one.word
    return text
