"""Japanese reading: the fixture of the reference, words of the dictionary with their pitch, odd input."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.errors import UserError
from voice.text import japanese
from voice.text.cleaning import clean
from voice.text.reading import build
from voice.text.symbols import SYMBOLS

pytest.importorskip("pyopenjtalk")
FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = json.loads((FIXTURES / "golden" / "text_ja.json").read_text(encoding="utf-8"))["cases"]
WORDS = [line.split("\t") for line in (FIXTURES / "text" / "ja.tsv").read_text(encoding="utf-8").splitlines()]
PROSODY = {"[", "]", "_", "UNK"}
# The reference spells Latin words in lower case; as written the dictionary knows this one. In a line with
# English it is read as English.
CHANGED = {"Hello": ("e [ i ch i i i e r u e r u o o", "h a ] r o o")}


def phones(text: str) -> tuple[list[str], str]:
    units, unread = japanese.read_japanese(clean(text))
    return [phone for unit in units for phone in unit.phones], unread


@pytest.mark.parametrize("case", CASES, ids=[case["in"][:8] for case in CASES])
def test_phones_equal_the_reference_but_for_listed_words(case: dict[str, list[str]]) -> None:
    expected = " ".join(case["phones_v2"])
    for word, (theirs, ours) in CHANGED.items():
        if word in case["in"]:
            assert theirs in expected
            expected = expected.replace(theirs, ours, 1)
    found, unread = phones(str(case["in"]))
    assert " ".join(found) == expected
    assert unread == ""


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_words_sound_as_in_the_dictionary(text: str, expected: str) -> None:
    """Expectations with pitch marks are compared with them, the others without."""
    found, unread = phones(text)
    marked = PROSODY & set(expected.split())
    assert [p for p in found if marked or p not in PROSODY] == expected.split()
    assert unread == ""


def test_a_unit_is_an_accent_phrase_with_the_border_at_its_end() -> None:
    units, _ = japanese.read_japanese(clean("僕は天文学を勉強してるんだ。"))
    assert [unit.word for unit in units] == ["僕は", "天文学を", "勉強してるんだ", "."]
    assert [unit.phones[-1] for unit in units] == [japanese.BORDER, japanese.BORDER, "a", "."]
    assert [unit.source for unit in units] == ["dictionary"] * 3 + ["mark"]
    assert {unit.lang for unit in units} == {"ja"}


def test_devoiced_vowels_are_written_as_voiced_ones() -> None:
    assert phones("です")[0] == "d e ] s u".split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2024/3/15", "二千 二十 四年 3月 十 五日"),
        ("2024/13/15", "二千 二十 四 十三 十五"),
        ("3:2", "三 対二"),
        ("東京〜大阪", "東京 … 大阪"),
        ("10〜20個", "十から 二十個"),
        ("「はい」と言った。", "はい と 言った ."),
        ("レオナルド・ダ・ヴィンチ", "レオナルド , ダ , ヴィンチ"),
        ("$5と¥3万", "五ドルと 三万円"),
        ("090-1234-5678", "ゼロキューゼロの イチニーサンヨンの ゴーロクナナハチ"),
        ("〒100-0001", "郵便番号イチゼロゼロの ゼロゼロゼロイチ"),
        ("え？！", "え ?"),
    ],
)
def test_notation_is_written_out(text: str, words: str) -> None:
    units, unread = japanese.read_japanese(clean(text))
    assert " ".join(unit.word for unit in units) == words
    assert unread == ""


@pytest.mark.parametrize(
    ("text", "spoken", "missing"),
    [
        ("笑😀笑", "w a [ r a i w a [ r a i", "😀"),
        ("한국", "", "한국"),
        ("々", "", "々"),
        ("ーあ", "a", "ー"),
        ("", "", ""),
        ("  ", "", ""),
    ],
)
def test_what_cannot_be_read_is_handed_back(text: str, spoken: str, missing: str) -> None:
    assert phones(text) == (spoken.split(), missing)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    japanese._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "pyopenjtalk", None)
    with pytest.raises(UserError, match=r"pip install 'reprovoice\[ja\]'"):
        japanese.read_japanese("東京")


def test_threads_read_alike() -> None:
    lines = ["東京は雨です。", "学校に行きます。", "ありがとうございます。"] * 8
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(phones, lines)) == [phones(line) for line in lines]


_ALPHABET = st.one_of(st.characters(), st.sampled_from("あっーんァヴ々〆亜龘。、？!.-〜 0123456789:/%¥kmAb\u3099"))


@settings(max_examples=150, deadline=None)
@given(st.text(_ALPHABET, max_size=20))
def test_any_text_gives_phones_of_the_table(text: str) -> None:
    for given_text in (text, clean(text)):
        units, _ = japanese.read_japanese(given_text)
        reading = build(text, units, (), ())
        assert sum(reading.word2ph) == len(reading.phones)
        assert set(reading.phones) <= set(SYMBOLS)
        assert all(unit.word and unit.phones for unit in units)
