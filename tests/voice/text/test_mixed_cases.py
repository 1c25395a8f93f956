"""Lines in several languages, expected by hand: the language of each run and how the words in question are said."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

import pytest

from voice.text import Reading, read_text

CASES = Path(__file__).parents[2] / "fixtures" / "text" / "mixed.tsv"
_RUN = re.compile(r"(?:^| )(zh|en|ja|ko|yue):")
# What the front end is known to get wrong, by text, with the reason.
KNOWN: dict[str, str] = {}


@cache
def cases() -> tuple[tuple[str, str, str, str], ...]:
    rows = [line.split("\t") for line in CASES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return tuple((row[0], row[1], row[2], row[3] if len(row) > 3 else "auto") for row in rows)


def bare(text: str) -> str:
    """Letters, digits and characters only: marks and spaces belong to no language."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum()).lower()


def expected_runs(column: str) -> list[tuple[str, str]]:
    parts = _RUN.split(column)[1:]
    return [(lang, bare(text)) for lang, text in zip(parts[::2], parts[1::2], strict=True)]


def said(reading: Reading, word: str) -> str:
    """Phones of the neighbouring units that spell `word`, or nothing."""
    starts, place = [], 0
    for size in reading.word2ph:
        starts.append(place)
        place += size
    for first in range(len(reading.words)):
        spelled = ""
        for last in range(first, len(reading.words)):
            spelled += reading.words[last]
            if spelled.lower() == word.lower():
                return " ".join(reading.phones[starts[first] : starts[last] + reading.word2ph[last]])
    return ""


def faults(text: str, runs: str, expected: str, lang: str) -> list[str]:
    reading = read_text(text, lang)
    found = [(span.lang, bare(span.text)) for span in reading.segments]
    wrong = [] if found == expected_runs(runs) else [f"runs {found}"]
    for part in [] if expected == "-" else expected.split(" ; "):
        word, _, phones = part.partition("=")
        if phones and said(reading, word) != phones:
            wrong.append(f"{word} is {said(reading, word) or reading.norm}")
        elif not phones and part.replace(" ", "").lower() not in reading.norm.replace(" ", "").lower():
            wrong.append(f"{part} is not in {reading.norm}")
    return wrong


def test_there_are_enough_cases_and_each_is_there_once() -> None:
    assert len(cases()) >= 100
    assert len({(case[0], case[3]) for case in cases()}) == len(cases())
    assert len(KNOWN) <= 0.02 * len(cases())


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case[0]} ({case[3]})")
def test_runs_and_words_are_as_expected(case: tuple[str, str, str, str]) -> None:
    wrong = faults(*case)
    if case[0] in KNOWN:
        assert wrong, f"{case[0]} is right now: take it from KNOWN"
        pytest.xfail(f"{KNOWN[case[0]]}: {'; '.join(wrong)}")
    assert not wrong
