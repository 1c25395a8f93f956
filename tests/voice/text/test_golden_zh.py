"""Chinese readings against the reference implementation's, with every deliberate difference named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.text import read_text
from voice.text.mandarin import read_mandarin
from voice.text.normalise_zh import spell_out, spell_out_marked
from voice.text.symbols import MARKS

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"
AS_MARKS = str.maketrans("，。！？：；、“”", ",.!?,,,  ")

# text -> (reference, ours, reason)
NORM_DIFFERENCES = {
    "2的10次方,速度100km/h": (
        "二的十次方,速度一百千米每h",
        "二的十次方,速度一百千米每小时",
        "a compound unit is read whole",
    ),
    "1+1=2,5×3=15,10÷2=5": (
        "一加一等于二,五乘三等于十五,十除二等于五",
        "一加一等于二,五乘三等于十五,十除以二等于五",
        "a 除 b divides b by a; ÷ is 除以",
    ),
    "《书名》(括号)【方】“引号”—破折": ("书名括号方引号破折", "书名括号方引号-破折", "a dash is a pause"),
    "嗯,今天是2024年3月15日,气温-3.5°C。": (
        "恩,今天是二零二四年三月十五日,气温零下三点五度.",
        "恩,今天是二零二四年三月十五日,气温零下三点五摄氏度.",
        "°C names its scale as ℃ does",
    ),
    "中文English混合abc测试。": (
        "中文秒混合测试.",
        "中文 English 混合 abc 测试.",
        "Latin words are read as English, and s inside them is no second",
    ),
}
# text -> character -> (reference, ours, reason); places count from 0
PHONE_DIFFERENCES = {
    "银行行长,音乐快乐,长江长大,得到了就得去。": {
        2: ("h ang5", "h ang2", "行行 is no reduplication"),
        19: ("d e5", "d ei3", "得 is must, not the particle"),
    },
    "第一天,一百一十一,二零一零年": {12: ("y i4", "y i1", "一 in a year read digit by digit keeps its tone")},
    "呣呣呣~就是...大人的鼹鼠党吧?": {
        1: ("m u5", "m u2", "a hum is no reduplicated verb; third tones in a row change instead"),
        2: ("m u5", "m u3", "as above"),
    },
    "嗯,今天是2024年3月15日,气温-3.5°C。": {
        21: ("d ian3", "d ian2", "third tones also meet across short neighbouring words"),
    },
}


def cases() -> list[dict[str, object]]:
    return list(json.loads((GOLDEN / "text_zh.json").read_text(encoding="utf-8"))["cases"])


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["in"])
def test_phones_are_the_references_except_where_it_is_wrong(case: dict[str, list[str]]) -> None:
    text = str(case["in"])
    reading = read_text(text, "zh")
    assert reading.warnings == ()
    if text in NORM_DIFFERENCES:
        reference, ours, _ = NORM_DIFFERENCES[text]
        assert (case["norm"], reading.norm) == (reference, ours)
        same = next(n for n, (a, b) in enumerate(zip(reference, ours, strict=False)) if a != b)
    else:
        assert reading.norm == case["norm"]
        assert list(reading.word2ph) == case["word2ph"]
        same = len(reading.words)
    differences = {}
    start = 0
    for place, size in enumerate(reading.word2ph[:same]):
        theirs, mine = case["phones"][start : start + size], reading.phones[start : start + size]
        start += size
        if tuple(theirs) != mine:
            differences[place] = (" ".join(theirs), " ".join(mine))
    named = PHONE_DIFFERENCES.get(text, {})
    assert differences == {place: (theirs, mine) for place, (theirs, mine, _) in named.items()}
    if same == len(reading.words) and not differences:
        assert reading.ids == case["ids_v2"]


@pytest.mark.parametrize("case", json.loads((GOLDEN / "text_zhnorm.json").read_text(encoding="utf-8")))
def test_text_is_written_out_as_the_reference_does(case: dict[str, list[str]]) -> None:
    text = str(case["in"])
    reference, ours = ("".join(case["sentences"]).translate(AS_MARKS),) * 2
    if text in NORM_DIFFERENCES:
        expected, ours, _ = NORM_DIFFERENCES[text]
        assert reference == expected
    assert read_text(text, "zh").norm == ours


SIGNS = "0123456789.,:/-~%$¥°²³+=×÷*#&@√①年月日号点分个元万亿第负到至一二两零百千度后共约打m kgsh℃以比"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=SIGNS, max_size=24))
def test_what_is_written_out_stays_as_it_is(text: str) -> None:
    once, marked = spell_out_marked(text)
    assert len(once) == len(marked)
    assert not any(character in "0123456789" for character in once)
    assert spell_out(once) == once


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_every_character_is_read_or_named(text: str) -> None:
    reading = read_text(text, "zh")
    assert sum(reading.word2ph) == len(reading.phones) and len(reading.words) == len(reading.sources)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=12))
def test_every_chinese_character_has_phones_or_is_reported(text: str) -> None:
    units, unread = read_mandarin(text, {})
    assert len(units) + len(unread) == len(text)
    assert all(len(unit.phones) == (1 if unit.word in MARKS else 2) for unit in units)


def test_each_unit_says_where_its_reading_came_from() -> None:
    reading = read_text("重阳节，不错。", "zh", {"重阳": "chong2 yang2"})
    assert reading.sources == ("lexicon", "lexicon", "dictionary", "mark", "dictionary", "dictionary", "mark")
    reading = read_text("花了12元。", "zh")
    assert reading.norm == "花了十二元."
    assert reading.sources == ("dictionary", "dictionary", "rule", "rule", "dictionary", "mark")


def test_own_words_are_found_as_the_user_wrote_them() -> None:
    reading = read_text("皇后乾坤後來", "zh", {"後來": "hou2 lai2"})
    assert reading.norm == "皇后乾坤後來"
    assert reading.phones[-4:] == ("h", "ou2", "l", "ai2")
