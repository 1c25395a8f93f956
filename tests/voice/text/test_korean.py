"""Korean reading: the jamo stage against the reference, rules by the dictionary, numbers, odd input."""

from __future__ import annotations

import importlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.errors import UserError
from voice.text import korean, korean_numbers, korean_rules
from voice.text.cleaning import clean
from voice.text.reading import build
from voice.text.symbols import SYMBOLS

pytest.importorskip("mecab")
FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = json.loads((FIXTURES / "golden" / "text_ko.json").read_text(encoding="utf-8"))["cases"]
WORDS = [line.split("\t") for line in (FIXTURES / "text" / "ko.tsv").read_text(encoding="utf-8").splitlines()]


def phones(text: str) -> tuple[tuple[str, ...], str]:
    units, unread = korean.read_korean(clean(text))
    return tuple(phone for unit in units for phone in unit.phones), unread


@pytest.mark.parametrize("case", CASES, ids=[case["in"] for case in CASES])
def test_jamo_equal_the_reference(case: dict[str, list[str]]) -> None:
    """The fixture leaves the pronunciation rules out, so only letters and jamo are compared."""
    assert list(korean.jamo_phones(korean.spell_letters(str(case["in"])))) == case["phones"]


@pytest.mark.parametrize(("text", "said"), WORDS)
def test_words_are_said_by_the_standard_rules(text: str, said: str) -> None:
    assert phones(text) == (korean.jamo_phones(said), "")


def test_a_unit_is_a_word_a_space_or_a_mark() -> None:
    units, _ = korean.read_korean(clean("밥을 먹고! 10시에 잔다"))
    assert [unit.word for unit in units] == ["밥을", " ", "먹고", "!", " ", "열시에", " ", "잔다", "."]
    assert [unit.phones[0] for unit in units if unit.word == " "] == ["空"] * 3
    assert {unit.source for unit in units} == {"rule", "mark"}
    assert "".join(units[2].phones) == "ㅁㅓㄱㄲㅗ"


def test_a_run_that_goes_on_after_a_space_has_no_stop() -> None:
    units, _ = korean.read_korean("나는 ")
    assert [unit.word for unit in units] == ["나는", " "]


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("3개월", "삼개월"),
        ("5명", "다섯명"),
        ("20대 20살 21살", "이십대 스무살 스물한살"),
        ("3시 15시 5시간", "세시 십오시 다섯시간"),
        ("11번째 1번째", "열한번째 첫번째"),
        ("6월 10월 16월", "유월 시월 십육월"),
        ("13개 3개", "열세개 세개"),
        ("123개", "백이십삼개"),
        ("10000 110000 100000000", "만 십일만 일억"),
        ("1,234원", "천이백삼십사원"),
        ("0 0.5 10.05", "영 영점오 십점영오"),
        ("010-1234-5678", "공일공,일이삼사,오육칠팔"),
        ("12345678901234567", "일이삼사오육칠팔구공일이삼사오육칠"),
        ("10:30 9:00", "열시 삼십분 아홉시"),
        ("2024-03-15", "이천이십사년 삼월 십오일"),
        ("$5.50 ₩3만", "오점오영달러 삼만원"),
        ("-5°C -5", "영하 오도 마이너스 오"),
        ("1/2", "이분의 일"),
        ("123-45 5-10개", "백이십삼 다시 사십오 오에서 열개"),
        ("100km", "백킬로미터"),
        ("1.2.3", "일점이점삼"),
    ],
)
def test_numbers_are_spelled_by_their_counter(text: str, spelled: str) -> None:
    assert korean_numbers.spell_out(text, korean_rules.tags) == spelled


@pytest.mark.parametrize(("value", "spelled"), [(1_0000_0001, "일억일"), (2000_0000, "이천만"), (10**12, "일조")])
def test_large_numbers_group_by_four_digits(value: int, spelled: str) -> None:
    assert korean_numbers.sino(value) == spelled


@pytest.mark.parametrize(
    ("text", "spoken", "missing"),
    [
        ("漢字와", "ㅇㅗㅏ.", "漢字"),
        ("ㅋㅋ", "ㅋㅋ.", ""),
        ("값😀", "ㄱㅏㅂ.", "😀"),
        ("'인용'", "ㅇㅣㄴㅣㅗㅇ.", ""),
        ("?!", "?", ""),
        ("", "", ""),
    ],
)
def test_what_cannot_be_read_is_handed_back(text: str, spoken: str, missing: str) -> None:
    found, unread = phones(text)
    assert ("".join(found), unread) == (spoken, missing)


def test_the_object_particle_keeps_the_next_words_onset() -> None:
    """Unlike the table of g2pk2, which makes 를 라 of 를 나 and so reads another word."""
    assert korean_rules.pronounce("너를 나누고 물을 놓다") == "너를 나누고 무를 노타"
    assert korean_rules.pronounce("물을 라디오") == "무를 라디오"


def test_rules_load_without_running_the_package() -> None:
    """The package itself would fetch a corpus; it stays out of the modules and loads whole when asked for."""
    korean_rules._rules.cache_clear()
    before = sys.modules.pop("g2pk2", None)
    try:
        assert korean_rules.pronounce("국물") == "궁물"
        assert "g2pk2" not in sys.modules
    finally:
        if before is not None:
            sys.modules["g2pk2"] = before


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    korean_rules._rules.cache_clear()
    monkeypatch.setattr(korean_rules, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'reprovoice\[ko\]'"):
        korean.read_korean("국물")
    importlib.invalidate_caches()


def test_threads_read_alike() -> None:
    lines = ["국물이 좋다.", "3시에 만나요!", "밥을 먹고 싶어요."] * 8
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(phones, lines)) == [phones(line) for line in lines]


_ALPHABET = st.one_of(
    st.characters(),
    st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
    st.sampled_from("ㄳㅢ각 .,?!-/0123456789:%$AbB시개월"),
)


@settings(max_examples=200, deadline=None)
@given(st.text(_ALPHABET, max_size=20))
def test_any_text_gives_phones_of_the_table(text: str) -> None:
    for given_text in (text, clean(text)):
        units, _ = korean.read_korean(given_text)
        reading = build(text, units, (), ())
        assert sum(reading.word2ph) == len(reading.phones)
        assert set(reading.phones) <= set(SYMBOLS)
        assert "停" not in reading.phones
        assert all(unit.word and unit.phones for unit in units)
