"""The front end as a whole: mixed lines, user lexicons, warnings, and anything a user may paste."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.errors import UserError
from voice.text import Reading, read_text
from voice.text.symbols import MARKS, SYMBOLS

TABLE = frozenset(SYMBOLS)
TRICKY = (
    "0123456789 .,:/-~%$£€¥°'\"#@&+=<>()[]_*^’“”。，、；：？！…—·"
    + "aAbZéßñ中一不儿的得地子们零〇々²½①㎡℃😀\n\tжあ가αΩ\u200b"
)
MARKUP = ("[en]", "[/en]", "[zh]", "[/yue]", "[ja]", "[/ja]", "[xx]", "[/fr]", "字", "(zi4)", "(", "{", "|", "}", "zi4",
          "W ER1 D", "=", "word", " ", "3", "。", "\U000f0000", "\U00100001")  # fmt: skip
# Things that stand in English and Chinese lines; each may meet any other.
PIECES = ("你好", "不是", "一个", "银行行长", "我", "，", "。", "重新", "了", "hello", "world", "the", "apple", "don't",
          "Python", "iPhone", "GPU", "12", "3.5", "2024年", "8%", "3个", "-", ".", "!", "OK", "it's", "well-known",
          "第一", "Wi-Fi", "Dr.", "$5", "9:30", "5kg", "A", "e.g.", "www.example.com", "儿子", "谁", "得")  # fmt: skip


def check(reading: Reading) -> None:
    """What holds for every reading."""
    assert sum(reading.word2ph) == len(reading.phones)
    assert len(reading.words) == len(reading.word2ph) == len(reading.langs)
    assert set(reading.phones) <= TABLE
    assert all(count > 0 for count in reading.word2ph)
    assert [span.start for span in reading.segments] == [0, *(span.end for span in reading.segments)][:-1]
    assert (reading.segments[-1].end if reading.segments else 0) == len(reading.words)
    for span in reading.segments:
        assert set(reading.langs[span.start : span.end]) == {span.lang}
    assert len(reading.ids) == len(reading.phones)
    assert reading.phones or reading.warnings


def test_mixed_line_reads_each_run_in_its_language() -> None:
    reading = read_text("我用 Python 写了 3 个 program")
    assert reading.norm == "我用 Python 写了三个 program"
    assert [(span.lang, span.text) for span in reading.segments] == [
        ("zh", "我用"),
        ("en", "Python"),
        ("zh", "写了 3 个"),
        ("en", "program"),
    ]
    assert reading.langs == ("zh", "zh", "en", "zh", "zh", "zh", "zh", "en")
    check(reading)


@pytest.mark.parametrize(
    ("text", "lang", "norm"),
    [
        ("我有 3 apples", "auto", "我有三 apples"),
        ("3 apples", "zh", "three apples"),
        ("我爱Python。3个苹果", "auto", "我爱 Python. 三个苹果"),
        ("用了5kg苹果", "auto", "用了五千克苹果"),
        ("12", "zh", "十二"),
        ("12", "en", "twelve"),
        ("12", "auto", "twelve"),
        ("12。", "auto", "十二."),
        ("iPhone 15，花了 200 元", "auto", "iPhone fifteen, 花了二百元"),
    ],
)
def test_numbers_follow_their_neighbour_and_lang_settles_bare_ones(text: str, lang: str, norm: str) -> None:
    assert read_text(text, lang).norm == norm


def test_own_words_replace_both_lexicons() -> None:
    lexicon = {"Python": "P AY1 TH AO2 N", "重阳": "chong2 yang2", "行长": "xing2 zhang3"}
    reading = read_text("行长说python", lexicon=lexicon)
    assert " ".join(reading.phones) == "x ing2 zh ang3 sh uo1 P AY1 TH AO2 N"


@pytest.mark.parametrize(
    ("lexicon", "part"),
    [
        ({"word": "W ER1 XX"}, "unknown phone 'XX'"),
        ({"word": "W ER D"}, "unknown phone 'ER'"),
        ({"字": "zi"}, "unknown phone 'zi'"),
        ({"字": "zi9"}, "unknown phone 'zi9'"),
        ({"汉字": "zi4"}, "1 syllables for 2 characters"),
        ({"word": " "}, "no pronunciation"),
        ({"行长": "hang2 zhagn3"}, "nearest is zhang3"),
        ({"word": "="}, "no words after '='"),
        ({"。": "zi4"}, "is no word"),
    ],
)
def test_a_bad_lexicon_entry_is_a_users_mistake(lexicon: dict[str, str], part: str) -> None:
    with pytest.raises(UserError, match=part):
        read_text("hello", lexicon=lexicon)


def test_an_unsupported_language_names_the_supported_ones() -> None:
    with pytest.raises(UserError, match="zh, en, ja, ko, yue, auto"):
        read_text("bonjour", "fr")


@pytest.mark.parametrize("text", ["", "  ", "。。。", "...", "😀"])
def test_a_line_without_words_has_no_phones_and_a_warning(text: str) -> None:
    reading = read_text(text)
    assert reading.phones == () and reading.segments == ()
    assert "there is nothing to read" in reading.warnings


@pytest.mark.parametrize("text", ["hello 😀 world", "你好 привет", "שלום world", "a ∮ b"])
def test_what_cannot_be_read_is_named_and_the_rest_is_read(text: str) -> None:
    reading = read_text(text)
    assert reading.phones
    assert reading.warnings and "cannot read" in reading.warnings[0]


@pytest.mark.parametrize("text", ["“Well,” she said, (quietly) ‘no’ — yes.", "他说：“你好！”（笑）", "*bold* _under_"])
def test_quotes_and_brackets_are_no_reason_to_warn(text: str) -> None:
    assert read_text(text).warnings == ()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["zh", "en", "ja", "ko", "yue", "auto"]))
def test_any_text_is_read_without_failing(text: str, lang: str) -> None:
    check(read_text(text, lang))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(MARKUP), max_size=12).map("".join))
def test_broken_marks_are_read_or_refused_in_one_line(text: str) -> None:
    try:
        check(read_text(text))
    except UserError as error:
        assert "column" in str(error) and "\n" not in str(error)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=3), st.sampled_from(PIECES)), max_size=6).map(" ".join))
def test_every_word_has_phones_or_a_warning(text: str) -> None:
    for word in text.split():
        if any(character.isalnum() for character in word):
            reading = read_text(word)
            assert reading.warnings or any(unit not in MARKS for unit in reading.words), word


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8))
def test_the_normal_form_is_read_the_same(pieces: list[str]) -> None:
    reading = read_text(" ".join(pieces))
    again = read_text(reading.norm)
    assert (again.phones, again.norm) == (reading.phones, reading.norm)


@settings(max_examples=250, deadline=None)
@given(st.text(alphabet=TRICKY, max_size=40))
def test_tricky_signs_are_read_without_failing(text: str) -> None:
    reading = read_text(text)
    check(reading)
    assert reading == read_text(text)


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=10**18), st.sampled_from(["zh", "en"]))
def test_every_number_is_read_without_a_digit_left(number: int, lang: str) -> None:
    reading = read_text(str(number), lang)
    assert reading.phones and reading.warnings == ()
    assert not any(character.isdigit() for character in reading.norm)


@pytest.mark.parametrize(
    "piece", ["今天天气很好，", "word ", "a", "1", "-", "a-", "a's", "$1 ", "(", "字", "1:", "a.", "'"]
)
def test_a_line_of_ten_kilobytes_is_read_in_time(piece: str) -> None:
    text = piece * (10_000 // len(piece.encode()))
    read_text("warm up 热身")
    started = time.process_time()
    check(read_text(text))
    assert time.process_time() - started < 8


def test_threads_get_the_same_readings() -> None:
    lines = [f"Line {n} costs ${n}.50 for scrawlings{'x' * n}, 第{n}次不对。" for n in range(40)]
    alone = [read_text(line) for line in lines]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read_text, lines)) == alone


def test_a_long_line_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        piece = "我在2024年用Python写了3个program，重(chong2)复 hello world. "
        started = time.process_time()
        check(read_text(piece * (size // len(piece)), lexicon={"hello world": "=hi", "写了": "xie3 le5"}))
        return time.process_time() - started

    seconds(1_000)
    short, long = seconds(8_000), seconds(64_000)
    assert long < 20 * short


def test_importing_the_front_end_loads_no_data() -> None:
    heavy = {"jieba", "pypinyin", "inflect", "cn2an", "torch", "nltk", "g2p_en", "py3langid", "pyopenjtalk", "g2pk2"}
    code = f"import sys, voice.text; print(sorted({heavy!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_mandarin_prints_nothing() -> None:
    code = "from voice.text import read_text; read_text('今天天气很好')"
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "" and "jieba" not in done.stderr and "pkg_resources" not in done.stderr
