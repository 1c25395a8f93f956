"""Sentences with the words a careful reader says, and the phones of words said in more than one way."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice.text import Reading, read_text

# Read wrongly so far: a bare plural as subject and nothing after the verb.
KNOWN_FAULTS = {"Contracts expire; muscles contract."}
TABLE = Path(__file__).parents[2] / "fixtures" / "text" / "en.tsv"


def rows() -> list[tuple[str, str, str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    cells = [[*line.split("\t"), ""] for line in lines if line and not line.startswith("#")]
    return [(text, words, checks) for text, words, checks, *_ in cells]


def faults(reading: Reading, words: str, checks: str) -> list[str]:
    """What a reading says otherwise than one row of the table; empty when it agrees."""
    found = []
    said = [word.lower() for word in reading.words]
    if said != words.split():
        found.append(f"says {' '.join(said)!r}")
    for check in filter(None, checks.split(";")):
        name, _, wanted = check.partition("=")
        if name == "warning":
            if not any(wanted in warning for warning in reading.warnings):
                found.append(f"no warning of {wanted}")
            continue
        word, _, count = name.partition("#")
        places = [place for place, spelling in enumerate(said) if spelling == word]
        if len(places) < int(count or 1):
            found.append(f"does not say {word}")
            continue
        place = places[int(count or 1) - 1]
        start = sum(reading.word2ph[:place])
        phones = " ".join(reading.phones[start : start + reading.word2ph[place]])
        if phones != wanted:
            found.append(f"{word} is {phones}")
    if "warning=" not in checks and reading.warnings:
        found.append(f"warns: {'; '.join(reading.warnings)}")
    return found


@pytest.mark.parametrize(("text", "words", "checks"), rows())
def test_a_sentence_is_said_as_a_careful_reader_would(text: str, words: str, checks: str) -> None:
    found = faults(read_text(text, "en"), words, checks)
    if text in KNOWN_FAULTS:
        assert found, "no fault any more: take it off the list"
        pytest.xfail(found[0])
    assert found == []


def test_the_table_is_long_and_has_no_row_twice() -> None:
    texts = [text for text, _, _ in rows()]
    assert len(texts) >= 200
    assert len(set(texts)) == len(texts)
    assert len(KNOWN_FAULTS & set(texts)) == len(KNOWN_FAULTS) <= 0.02 * len(texts)
