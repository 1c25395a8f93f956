"""The reference's readings of English, equal to ours but for the differences listed here with their reasons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice.text import read_text

CASES = json.loads((Path(__file__).parents[2] / "fixtures" / "golden" / "text_en.json").read_text("utf-8"))["cases"]
VARIANT = "another pronunciation of the same word in our dictionary"
HOMOGRAPH = "the reference tags every word a noun"
HYPHENS = "the reference's numbers keep hyphens and commas, which its letter model then guesses at"
# Start of the text -> (reference, ours, reason) in the order of the text.
DIFFERENCES: dict[str, list[tuple[str, str, str]]] = {
    "Hello": [("HH AH0 L OW1", "HH EH0 L OW1", VARIANT)],
    "e.g.": [
        ("F AO1 R IH0", "F ER0 IH0", VARIANT),
        ("Y UW1 S T", "Y UW1 Z D", HOMOGRAPH + "; used before a noun is not 'used to'"),
        ("EY1 AY1 Z", "EY2 AY1 Z", "one word with one main stress"),
        ("T UW1 D R", "T AH0 D R", VARIANT),
    ],
    "In 1999": [
        ("IH0 N N", "IH1 N N", VARIANT),
        ("K AA1 S T", "K AO1 S T", VARIANT),
        ("Z AH0 N D F", "Z AE1 N D F", VARIANT),
        ("Z AH0 N D F", "Z AE1 N D F", VARIANT),
        ("AO1 R T IY1 N", "AO2 R T IY1 N", VARIANT),
    ],
    "NASA": [
        ("EH1 N EY1 EH1 S EY1 Z", "N AE1 S AH0 Z", "capitals are a word when the dictionary has it (fault 5.9)"),
        ("JH EY1 EH1 S OW1 EH1 N", "JH EY1 S AH0 N", "the same: the reference's own entry is out of its reach"),
        ("Z IY1 R OW0", "Z IH1 R OW0", VARIANT),
        ("OW1 K EY1", "OW2 K EY1 ,", "the semicolon is a pause (fault 5.9); the same word in our dictionary"),
    ],
    "It is 4": [
        ("M AH2 T", "M AH0 T", VARIANT),
        ("Z EY1 CH AH0 N D", "Z P ER1 AW1 ER0 AE1 N D", "km/h loses its slash in the reference (fault 5.9)"),
        ("N , T UW1", "N T UW1", HYPHENS),
        ("D R AH0 D", "D R IH0 D", VARIANT),
        ("TH ER1 T AY0 F R UH0 R", "TH ER1 T IY0 F AO1 R", HYPHENS),
        ("D , F AY1", "D F AY1", HYPHENS),
        ("D R AH0 D", "D R IH0 D", VARIANT),
    ],
    "2005": [("D R AH0 D", "D R IH0 D", VARIANT)],
    "Zhang": [("D AA1 G Z", "D AO1 G Z", VARIANT), ("B AA1 K S AH0 Z", "B AA1 K S IH0 Z", VARIANT)],
    "x + y": [("N EH1 G AH0 T IH0 V", "M AY1 N AH0 S", "minus is what a reader says of -5")],
    "well": [
        ("S T EY2 T", "S T EY1 T", "a compound is read by its parts"),
        ("DH IH0 AA1 R T", "DH AH0 AA1 R T", "a compound is read by its parts"),
    ],
}


def ours(case: dict[str, object]) -> str:
    return " ".join(read_text(str(case["in"]), "en").phones)


def differences(case: dict[str, object]) -> list[tuple[str, str, str]]:
    return next((rows for start, rows in DIFFERENCES.items() if str(case["in"]).startswith(start)), [])


@pytest.mark.parametrize("case", CASES, ids=[case["in"][:20] for case in CASES])
def test_a_reading_is_the_references_but_for_the_listed_differences(case: dict[str, object]) -> None:
    rest = " ".join(case["phones"])  # type: ignore[arg-type]
    wanted = ""
    for reference, mine, _ in differences(case):
        before, found, rest = rest.partition(reference)
        assert found, f"{reference!r} is not in what is left of the reference"
        wanted += before + mine
    assert ours(case) == wanted + rest


def test_every_listed_difference_belongs_to_a_case_and_has_a_reason() -> None:
    starts = [start for start in DIFFERENCES if any(case["in"].startswith(start) for case in CASES)]
    assert starts == list(DIFFERENCES)
    assert all(reason and reference != mine for rows in DIFFERENCES.values() for reference, mine, reason in rows)
