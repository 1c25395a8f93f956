"""The phone tables are those the published models were trained with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from voice.text.syllables import syllable_phones
from voice.text.symbols import SYMBOLS, V1_COUNT, phone_ids
from voice.text.units import CTC_UNITS, unit_of

TABLES: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "phone_tables.json").read_text(encoding="utf-8")
)


def digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_both_tables_equal_the_reference_entry_by_entry() -> None:
    for name, table in (("symbols_v1", SYMBOLS[:V1_COUNT]), ("symbols_v2", SYMBOLS)):
        assert len(table) == TABLES[name]["count"]
        assert digest(table) == TABLES[name]["sha256"]


def test_every_phone_is_listed_once() -> None:
    assert len(set(SYMBOLS)) == len(SYMBOLS) == 732


def test_ids_follow_published_examples() -> None:
    assert phone_ids(["b", "u2", "y", "ao4", "k", "an4"]) == [122, 256, 318, 120, 222, 110]
    assert SYMBOLS[0] == "!" and SYMBOLS[321] == "…" and SYMBOLS[322] == "["


def test_an_unknown_phone_gets_the_id_of_unk() -> None:
    assert phone_ids(["nonsense"]) == [SYMBOLS.index("UNK")]


def test_every_pinyin_syllable_divides_as_in_the_reference() -> None:
    syllables = TABLES["pinyin"]["syllables"].split()
    lines = []
    for syllable in syllables:
        phones = syllable_phones(syllable + "4")
        assert phones is not None, syllable
        lines.append(f"{syllable} {phones[0]} {phones[1].removesuffix('4')}")
    assert len(lines) == TABLES["pinyin"]["count"]
    assert digest(lines) == TABLES["pinyin"]["sha256"]


@pytest.mark.parametrize("tone", "12345")
def test_toned_syllables_are_in_the_table_and_have_a_sound(tone: str) -> None:
    for syllable in TABLES["pinyin"]["syllables"].split():
        phones = syllable_phones(syllable + tone) or ()
        assert set(phones) <= set(SYMBOLS)
        assert unit_of(phones[-1]) is not None


@pytest.mark.parametrize(
    ("syllable", "phones"),
    [
        ("lüe4", ("l", "ve4")),
        ("nu:3", ("n", "v3")),
        ("shuei3", ("sh", "ui3")),
        ("de", ("d", "e5")),
        ("ng2", ("EE", "en2")),
        ("yuan2", ("y", "van2")),
    ],
)
def test_other_spellings_of_pinyin_are_understood(syllable: str, phones: tuple[str, str]) -> None:
    assert syllable_phones(syllable) == phones


@pytest.mark.parametrize("text", ["", "hello", "zi6", "zi0", "ir4", "zi4 ", "字", "bir4", "xyz1"])
def test_what_is_not_pinyin_is_refused(text: str) -> None:
    assert syllable_phones(text) is None


def test_alignment_units_forget_tone_and_stress() -> None:
    assert unit_of("an4") == unit_of("an1") == CTC_UNITS.index("an")
    assert unit_of("AH0") == unit_of("AH2") == CTC_UNITS.index("AH")
    assert unit_of(",") is None and unit_of("AA") is None
