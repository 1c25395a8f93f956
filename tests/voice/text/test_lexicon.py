"""Own words: from a mapping or lexicon.yaml, the longest at a place, whatever the segmenter sees there."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice.errors import UserError
from voice.text import Reading, load_lexicon, read_text


def said(reading: Reading) -> str:
    return " ".join(reading.phones)


def own(reading: Reading) -> list[str]:
    """Words the lexicon decided."""
    return [word for word, source in zip(reading.words, reading.sources, strict=True) if source == "lexicon"]


@pytest.mark.parametrize(
    ("text", "lexicon", "words", "part"),
    [
        ("I saw New York again", {"New York": "N UW1 Y AO1 R K"}, ["New York"], "S AO1 N UW1 Y AO1 R K AH0"),
        ("new york's best", {"New York": "N UW1 Y AO1 R K"}, ["new york's"], "Y AO1 R K S"),
        ("Python and python", {"Python": "P AY1"}, ["Python", "python"], "P AY1"),
        ("iOS and ios", {"iOS": "AY1 OW1"}, ["iOS"], "AY1 OW1"),
        ("pythons", {"python": "P AY1"}, [], ""),
        ("don't", {"don": "D AA1"}, [], ""),
        ("the apple", {"apple": "AE1 P"}, ["apple"], "DH IY0 AE1 P"),
        ("C++ and C", {"C++": "S IY1 P L AH1 S"}, ["C++"], "S IY1 P L AH1 S"),
        ("a 5G phone", {"5G": "F AY1 V"}, ["5G"], "F AY1 V F OW1"),
        ("15G", {"5G": "F AY1 V"}, [], ""),
        ("银行行长来了", {"行长": "xing2 zhang3"}, ["行", "长"], "y in2 h ang2 x ing2 zh ang3"),
        ("银行行长来了", {"行行": "xing1 xing1"}, ["行", "行"], "y in2 x ing1 x ing1"),
        (
            "银行行长来了",
            {"行": "xing1", "行行长": "xing2 xing3 zhang4"},
            ["行", "行", "长"],
            "y in2 x ing2 x ing3 zh ang4",
        ),
        ("不重要", {"重": "chong2"}, ["重"], "b u4 ch ong2"),
        ("2只猫", {"只": "zhi3"}, ["只"], "l iang2 zh ir3"),
        ("我在B站", {"B站": "=哔站"}, ["哔", "站"], "z ai4 b i4 zh an4"),
        ("这件T恤", {"T恤": "=体恤"}, ["体", "恤"], "t i3 x v4"),
        ("a GIF file", {"GIF": "=jiff"}, ["GIF"], "JH IH1 F F AY1 L"),
        ("去NASA", {"NASA": "N AE1 S"}, ["NASA"], "q v4 N AE1 S"),
        ("特斯拉车", {"特斯拉": "T EH1 S L AH0"}, ["特斯拉"], "T EH1 S L AH0 ch e1"),
        ("重(zhong4)复", {"重复": "chong1 fu5"}, [], "zh ong4 f u4"),
        ("重(zhong4)复重复", {"重复": "chong1 fu5"}, ["重", "复"], "zh ong4 f u4 ch ong1 f u5"),
    ],
)
def test_the_longest_own_word_wins(text: str, lexicon: dict[str, str], words: list[str], part: str) -> None:
    reading = read_text(text, lexicon=lexicon)
    assert own(reading) == words
    assert part in said(reading)
    assert not reading.warnings
    assert reading.overridden == tuple(source in ("lexicon", "inline") for source in reading.sources)


def test_own_words_cost_nothing_to_lines_without_them() -> None:
    lexicon = {f"word{number}x": "W ER1 D" for number in range(5000)} | {"行长": "xing2 zhang3"}
    assert read_text("hello 世界", lexicon=lexicon) == read_text("hello 世界")


def test_a_lexicon_file_is_a_mapping_and_later_files_win(tmp_path: Path) -> None:
    project, voice = tmp_path / "a.yaml", tmp_path / "b.yaml"
    project.write_text('# names\nNguyen: W IH1 N\n行长: hang2 zhang3\n"no": N OW1\nyes: Y EH1 S\n', encoding="utf-8")
    voice.write_text("nguyen: N UW1\nB站: =哔站\n", encoding="utf-8")
    found = load_lexicon(project, voice)
    assert found == {
        "nguyen": "N UW1", "行长": "hang2 zhang3", "no": "N OW1", "yes": "Y EH1 S", "B站": "=哔站",
    }  # fmt: skip
    assert said(read_text("Nguyen", lexicon=found)) == "N UW1"


def test_an_empty_file_has_no_entries(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.yaml"
    path.write_text("# nothing yet\n")
    assert load_lexicon(path) == {} == load_lexicon()


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        ("a: EY1\nword: W ER1 D\nWord: W ER1 D\n", 3, "given already in line 2"),
        ("word: W ER1 D\nword: W ER1\n", 2, "'word': given already in line 1"),
        ("word: W ER1 XX\n", 1, "'word': unknown phone 'XX'"),
        ("\n\nword: W ER D\n", 3, "nearest is ER"),
        ("汉字: zi4\n", 1, "1 syllables for 2 characters"),
        ("汉字: han4 zii4\n", 1, "unknown phone 'zii4'"),
        ("word: 12\n", 1, "the reading must be text"),
        ("word: [W, ER1, D]\n", 1, "the reading must be text"),
        ("word:\n", 1, "the reading must be text"),
        ("word: ''\n", 1, "has no pronunciation"),
        ("? [a, b]\n: EY1\n", 1, "must be text"),
        ("- word\n", 1, "not a list of entries"),
        ("word: 'W\n", 2, "not YAML"),
        ("'...': W ER1 D\n", 1, "is no word"),
        ("word: '='\n", 1, "no words after"),
    ],
)
def test_a_fault_in_a_file_names_file_line_entry_and_rule(tmp_path: Path, content: str, line: int, part: str) -> None:
    path = tmp_path / "lexicon.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_lexicon(path)
    told = str(caught.value)
    assert told.startswith(f"{path}: line {line}: ") and part in told
    assert "\n" not in told and caught.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"word: \xe9t\xe9\n", b"[" * 5000])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lexicon.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_lexicon(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_file_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_lexicon(tmp_path / "none.yaml")
