"""What a text says about its own reading: language marks and readings in place."""

from __future__ import annotations

import pytest

from voice.errors import UserError
from voice.text import read_text


def spans(text: str, lang: str = "auto") -> list[tuple[str, str]]:
    reading = read_text(text, lang)
    assert reading.warnings == ()
    return [(span.lang, span.text) for span in reading.segments]


@pytest.mark.parametrize(
    ("text", "lang", "found"),
    [
        ("[en]2024[/en]年", "auto", [("en", "2024"), ("zh", "年")]),
        ("[zh]2024[/zh] apples", "auto", [("zh", "2024"), ("en", "apples")]),
        ("[JA]東京[/JA]的", "auto", [("ja", "東京"), ("zh", "的")]),
        ("[yue]你好[zh]你好[/zh]你好[/yue]", "auto", [("yue", "你好"), ("zh", "你好"), ("yue", "你好")]),
        ("[zh]你好[/zh]你好", "yue", [("zh", "你好"), ("yue", "你好")]),
        ("[en][/en]你好", "auto", [("zh", "你好")]),
    ],
)
def test_marks_set_the_language_of_what_they_hold(text: str, lang: str, found: list[tuple[str, str]]) -> None:
    assert spans(text, lang) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("你好[en]hello", "[en] without [/en] at column 3"),
        ("hello[/en] 你好", "[/en] without [en] at column 6"),
        ("[fr]bonjour[/fr]", "unknown language mark [fr] at column 1"),
        ("[en]a[ja]b[/en]", "[ja] without [/ja] at column 6"),
        ("字(zii4)", "column 2, (zii4) is read as text: zii4 is no pinyin"),
        ("字(zi4 mu3)", "2 syllables for 1 characters"),
    ],
)
def test_a_mark_that_does_nothing_is_told_and_the_text_is_read(text: str, told: str) -> None:
    reading = read_text(text)
    assert any(told in warning for warning in reading.warnings), reading.warnings
    assert reading.phones


def test_words_in_brackets_are_no_marks() -> None:
    reading = read_text("He said [sic] it was [ok].")
    assert reading.warnings == () and "ok" in reading.words


@pytest.mark.parametrize(
    ("text", "words", "phones"),
    [
        ("重(chong2)复", "重", "ch ong2"),
        ("重（chong2）复", "重", "ch ong2"),
        ("银行(yin2 hang2)", "银行", "y in2 h ang2"),
        ("一个重(chong2)量(liang2)", "重量", "ch ong2 l iang2"),
        ("{行长|xing2 zhang3}", "行长", "x ing2 zh ang3"),
        ("{word|W ER1 D Z}", "word", "W ER1 D Z"),
        ("{New York|N UW1}", "New York", "N UW1"),
        ("{1024|W AH1 N K EY1}", "1024", "W AH1 N K EY1"),
        ("买{2|liang3}斤", "2", "l iang3"),
        ("{iPhone|=爱疯}", "爱疯", "AA ai4 f eng1"),
        ("{GIF|=jiff}", "GIF", "JH IH1 F"),
        ("女(nü3)", "女", "n v3"),
    ],
)
def test_a_reading_in_place_wins(text: str, words: str, phones: str) -> None:
    reading = read_text(text, lexicon={"重": "zhong4", "word": "W ER1 D"})
    assert reading.warnings == ()
    ends, place = [], 0
    for size in reading.word2ph:
        ends.append((place, place := place + size))
    chosen = [n for n, source in enumerate(reading.sources) if source == "inline"]
    assert "".join(reading.words[n] for n in chosen) == words
    assert " ".join(" ".join(reading.phones[slice(*ends[n])]) for n in chosen) == phones
    assert [n for n, own in enumerate(reading.overridden) if own] == chosen


def test_the_same_word_elsewhere_is_read_as_usual() -> None:
    reading = read_text("重(chong2)要和重要")
    assert reading.phones[:2] == ("ch", "ong2") and reading.phones[6:8] == ("zh", "ong4")
    assert reading.norm == "重要和重要"


def test_words_around_a_given_reading_still_change_their_tones() -> None:
    assert read_text("不{好|hao4}").phones == ("b", "u2", "h", "ao4")
    assert read_text("一{条|tiao4}").phones[:2] == ("y", "i2")
    assert read_text("the {hour|AW1 ER0}").phones[:2] == ("DH", "IY0")


@pytest.mark.parametrize(
    "text", ["他(李明)来了", "方法(一)", "人(Tom)", "价格(12元)", "{a} {b}", "a|b", "字(zi)", "字\n(zi4)"]
)
def test_an_ordinary_parenthesis_stays_text(text: str) -> None:
    reading = read_text(text)
    assert "inline" not in reading.sources and reading.warnings == ()
    assert sum(unit not in ",.-" for unit in reading.words) >= 2


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("say {word|W ER1 DD}", "column 5, {word|W ER1 DD}: 'word': unknown phone 'DD' (nearest is D"),
        ("{行长|hang2 zhagn3}", "unknown phone 'zhagn3' (nearest is zhang3"),
        ("{行长|hang2}", "1 syllables for 2 characters"),
        ("{word|}", "has no pronunciation"),
        ("{word|w er1 d}", "unknown phone 'w'"),
        ("{iPhone|ai4 feng1}", "written =word"),
        ("银行(yin2 hagn2)", "column 3, (yin2 hagn2): unknown phone 'hagn2' (nearest is hang2"),
    ],
)
def test_a_bad_reading_in_place_is_a_users_mistake(text: str, part: str) -> None:
    with pytest.raises(UserError) as caught:
        read_text(text)
    assert part in str(caught.value) and "\n" not in str(caught.value)


def test_signs_of_the_private_planes_in_a_text_mean_nothing() -> None:
    reading = read_text("a\U000f0000b\U00100001c{word|W ER1 D}")
    assert reading.phones and "cannot read" in reading.warnings[0]
    assert reading.sources.count("inline") == 1


def test_a_missing_package_is_told_unless_the_language_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(text: str) -> None:
        raise UserError("Japanese needs a package", "install it")

    monkeypatch.setattr("voice.text.japanese.read_japanese", missing)
    reading = read_text("他说ありがとう")
    assert reading.words == ("他", "说")
    assert any("Japanese needs" in warning for warning in reading.warnings)
    assert any("cannot read" in warning for warning in reading.warnings)
    for text, lang in (("[ja]東京[/ja]", "auto"), ("東京", "ja")):
        with pytest.raises(UserError, match="Japanese needs"):
            read_text(text, lang)
