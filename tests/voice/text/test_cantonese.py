"""Cantonese reading: the fixture of the reference, dictionary words, syllables of the table, odd input."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.errors import UserError
from voice.text import cantonese
from voice.text.cleaning import clean
from voice.text.reading import build
from voice.text.symbols import SYMBOLS

pytest.importorskip("ToJyutping")
FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = json.loads((FIXTURES / "golden" / "text_yue.json").read_text(encoding="utf-8"))["cases"]
WORDS = [line.split("\t") for line in (FIXTURES / "text" / "yue.tsv").read_text(encoding="utf-8").splitlines()]


def phones(text: str) -> tuple[list[str], str]:
    units, unread = cantonese.read_cantonese(clean(text))
    return [phone for unit in units for phone in unit.phones], unread


@pytest.mark.parametrize("case", CASES, ids=[case["in"] for case in CASES])
def test_phones_equal_the_reference(case: dict[str, list[str]]) -> None:
    """The normalised text differs in script alone: characters stay as written, for they sound so."""
    units, unread = cantonese.read_cantonese(clean(str(case["in"])))
    assert [phone for unit in units for phone in unit.phones] == case["phones"]
    assert [len(unit.phones) for unit in units] == case["word2ph"]
    norm = "".join(unit.word for unit in units)
    assert norm != case["norm"] and cantonese.simplified(norm) == case["norm"]
    assert unread == ""


@pytest.mark.parametrize(("text", "jyutping"), WORDS)
def test_words_sound_as_in_the_dictionary(text: str, jyutping: str) -> None:
    expected = [phone for syllable in jyutping.split() for phone in cantonese.syllable_phones(syllable) or ("?",)]
    assert phones(text) == (expected, "")


def test_a_unit_is_a_character_or_a_mark() -> None:
    units, _ = cantonese.read_cantonese(clean("3隻貓，卅個。"))
    assert [unit.word for unit in units] == list("三隻貓,卅個.")
    # 卅 stands for two syllables.
    assert [len(unit.phones) for unit in units] == [2, 2, 2, 1, 4, 2, 1]
    assert {unit.source for unit in units} == {"dictionary", "mark"}


@pytest.mark.parametrize(
    ("syllable", "phones"),
    [
        ("gwong2", "Ygw Yong2"),
        ("m4", "Ym Ym4"),
        ("ng5", "Yng Yg5"),
        ("ngaa4", "Yng Yaa4"),
        ("aa3", "Yaa Ya3"),
        ("aai3", "Yaa Yi3"),
        ("oi3", "Yoi Yi3"),
        ("on1", "Yon Yn1"),
        ("uk1", "Yuk Yk1"),
        ("am3", "Ya Ym3"),
        # Outside the table: the nearest sound in it.
        ("deu6", "Yd Yiu6"),
        ("ung3", "Yng Yung3"),
        ("ang1", "Yng Yang1"),
        ("hng6", "Yh Yang6"),
    ],
)
def test_syllables_divide_into_onset_and_toned_rime(syllable: str, phones: str) -> None:
    assert cantonese.syllable_phones(syllable) == tuple(phones.split())


@pytest.mark.parametrize("syllable", ["", "gwong", "gwong7", "好", "xy1"])
def test_what_is_not_jyutping_is_refused(syllable: str) -> None:
    assert cantonese.syllable_phones(syllable) is None


def test_every_syllable_of_the_dictionary_is_in_the_table() -> None:
    jyutping = pytest.importorskip("ToJyutping.Trie")
    found: set[str] = set()
    nodes = [jyutping.root]
    while nodes:
        node = nodes.pop()
        found |= {s for value in node.v or () for s in str(value).split()}
        nodes += node.values()
    assert len(found) > 2000
    assert [syllable for syllable in found if cantonese.syllable_phones(syllable) is None] == []


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("電話12345678", "電話一二三四五六七八"),
        ("一隻貓同3隻狗", "一隻貓同三隻狗"),
        ("人々", "人人"),
        ("佢話：「好」！", "佢話,好!"),
    ],
)
def test_numbers_are_written_out_and_the_script_is_kept(text: str, norm: str) -> None:
    units, unread = cantonese.read_cantonese(clean(text))
    assert "".join(unit.word for unit in units) == norm
    assert unread == ""


@pytest.mark.parametrize(
    ("text", "spoken", "missing"),
    [("A同B", "Yt Yung4", "AB"), ("好😀", "Yh You2", "😀"), ("々", "", "々"), ("", "", "")],
)
def test_what_cannot_be_read_is_handed_back(text: str, spoken: str, missing: str) -> None:
    assert phones(text) == (spoken.split(), missing)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    cantonese._converter.cache_clear()
    monkeypatch.setitem(sys.modules, "ToJyutping", None)
    with pytest.raises(UserError, match=r"pip install 'reprovoice\[yue\]'"):
        cantonese.read_cantonese("香港")


def test_threads_read_alike() -> None:
    lines = ["香港人講廣東話！", "今日係2024年。", "我哋去食飯。"] * 8
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(phones, lines)) == [phones(line) for line in lines]


_ALPHABET = st.one_of(
    st.characters(),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
    st.sampled_from("唔佢，。？!.-~々〇0123456789:/%個年月kmA"),
)


@settings(max_examples=200, deadline=None)
@given(st.text(_ALPHABET, max_size=20))
def test_any_text_gives_phones_of_the_table(text: str) -> None:
    for given_text in (text, clean(text)):
        units, _ = cantonese.read_cantonese(given_text)
        reading = build(text, units, (), ())
        assert sum(reading.word2ph) == len(reading.phones)
        assert set(reading.phones) <= set(SYMBOLS)
        assert all(unit.word and unit.phones for unit in units)
