"""Chinese lines written by hand: how they are normalised and which syllables are spoken."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice.text import Reading, read_text
from voice.text.syllables import syllable_phones
from voice.text.symbols import MARKS

# Lines still read wrongly, and why.
KNOWN_FAULTS = {"放假期间不放假货": "segmentation prefers the commoner word 放假 to 假货"}
CASES = Path(__file__).parents[2] / "fixtures" / "text" / "zh.tsv"


def cases() -> list[tuple[str, str, str]]:
    """(text, normalised text, pinyin) of every line; what a line does not check is empty."""
    found = []
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, norm, pinyin = (*line.split("\t"), "", "")[:3]
            assert norm or pinyin, f"nothing to check: {line}"
            found.append((text, norm, pinyin))
    return found


def syllables(pinyin: str) -> list[tuple[str, ...]]:
    """Phones of "ni2 hao3 , zou3": a mark is its own phone."""
    return [(item,) if item in MARKS else syllable_phones(item) or (item,) for item in pinyin.split()]


def spoken(reading: Reading) -> list[tuple[str, ...]]:
    """Phones of every unit."""
    ends = [sum(reading.word2ph[: n + 1]) for n in range(len(reading.word2ph))]
    return [reading.phones[end - size : end] for end, size in zip(ends, reading.word2ph, strict=True)]


def fault(text: str, norm: str, pinyin: str) -> str:
    """What differs from the expectation, empty if nothing does."""
    reading = read_text(text, "zh")
    if reading.warnings:
        return f"{text}: {reading.warnings}"
    if norm and reading.norm != norm:
        return f"{text}: {reading.norm} instead of {norm}"
    heard = spoken(reading)
    for part in filter(None, (part.strip() for part in pinyin.split(";"))):
        name, _, choices = part.rpartition("=")
        start = reading.norm.index(name)
        end = start + len(name) if name else len(heard)
        if heard[start:end] not in [syllables(choice) for choice in choices.split("/")]:
            return f"{text}: {' '.join(''.join(phones) for phones in heard[start:end])} instead of {part}"
    return ""


@pytest.mark.parametrize(("text", "norm", "pinyin"), cases())
def test_a_line_is_read_as_a_person_would(text: str, norm: str, pinyin: str) -> None:
    found = fault(text, norm, pinyin)
    if text in KNOWN_FAULTS:
        assert found, "this line is read rightly now: take it out of KNOWN_FAULTS"
    else:
        assert found == ""


def test_there_are_cases_enough() -> None:
    assert len(cases()) >= 200
