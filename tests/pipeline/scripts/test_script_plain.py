"""Plain text: lines, paragraphs, encodings, sizes and HTML."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
from script_files import read, refused, texts

from pipeline.scripts import read_script
from pipeline.scripts.lines import MAX_CHARACTERS
from voice.errors import UserError


def test_a_line_of_the_file_is_a_line_and_a_blank_one_a_paragraph(tmp_path: Path) -> None:
    script = read(tmp_path, "a.txt", "\n  First   line.\nSecond.  Third.\r\n\n\nChapter 3\ncafe\u0301\n")
    assert [(line.index, line.number, line.text, line.gap) for line in script.lines] == [
        (1, 2, "First line.", "start"),
        (2, 3, "Second. Third.", "line"),
        (3, 6, "Chapter 3", "paragraph"),
        (4, 7, "café", "line"),
    ]
    assert script.chapters == ("",)
    assert {line.chapter for line in script.lines} == {0}
    assert script.warnings == ()


def test_marks_of_the_reader_are_left_alone(tmp_path: Path) -> None:
    lines = [
        "{Lead|L EH1 D} is heavy.",
        "重(chong2)复",
        "[en]Hello[/en] 你好",
        "Wait [pause 0.5s] here.",
        "[sic] [1] a",
    ]
    assert texts(read(tmp_path, "a.txt", "\n".join(lines))) == lines


def test_pauses_on_a_line_of_their_own_lengthen_the_next_gap(tmp_path: Path) -> None:
    script = read(tmp_path, "a.txt", "One.\n[pause 2s]\n[pause]\nTwo.\nThree.\n[pause 1s]\n")
    assert [line.pause for line in script.lines] == [0.0, 2.5, 0.0]
    assert "a pause after the last line" in script.warnings[0]


def test_lines_without_a_word_are_breaks(tmp_path: Path) -> None:
    script = read(tmp_path, "a.txt", "One.\n* * *\nTwo.\n***\n")
    assert [(line.text, line.gap) for line in script.lines] == [("One.", "start"), ("Two.", "paragraph")]
    assert len(script.warnings) == 1
    assert "line 2: no letter or digit" in script.warnings[0]
    assert "(2 such in all)" in script.warnings[0]


@pytest.mark.parametrize("text", ["", "\n \n", "...\n", "\ufeff", "[voice=bob]\n"])
def test_an_empty_script_is_refused(tmp_path: Path, text: str) -> None:
    refused(tmp_path, "a.txt", text, "no line to speak")


def test_a_missing_script_and_an_unknown_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such script"):
        read_script(tmp_path / "no.txt")
    refused(tmp_path, "a.docx", "x", ".docx is no format", ".epub")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_text_with_a_byte_order_mark_is_read(tmp_path: Path, codec: str) -> None:
    assert texts(read(tmp_path, "a.txt", "Grüße.\n你好。".encode(codec))) == ["Grüße.", "你好。"]


def test_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    refused(tmp_path, "a.txt", "One.\nTwo.\nGrüße aus Köln.\n".encode("latin-1"), "line 3", "UTF-8")
    refused(tmp_path, "b.txt", "One.\nTwo.\n".encode("utf-16-le"), "line 1", "zero byte")


@pytest.mark.parametrize(
    "line",
    ["<p>Hello.", "a <b>bold</b> word", 'see <a href="x">it</a>', "line<br/>break", "x <!-- y -->", "AT&amp;T",
     "&#8212; so", "</div>", '<break time="1s"/>', "<SPAN class='x'>hi"],
)  # fmt: skip
def test_html_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    refused(tmp_path, "a.txt", f"One.\n{line}\n", "line 2", "HTML", "read aloud")


@pytest.mark.parametrize(
    "line",
    ["1 < 2 and 3 > 2", "x<y and z>w", "a<b>c", "if a <b then c> d", "I <3 you", "Jane <jane@example.org>", "R&D; Q&A",
     "a <= b => c", "<https://example.org>"],
)  # fmt: skip
def test_signs_of_comparison_are_text(tmp_path: Path, line: str) -> None:
    assert texts(read(tmp_path, "a.txt", line)) == [line]


def test_a_paragraph_of_two_megabytes_is_cut_into_sentences(tmp_path: Path) -> None:
    sentence = 'He paid 3.50 euros to Mr. Smith, "as ever." Then the rain came down on all of us! '
    started = time.process_time()
    script = read(tmp_path, "a.txt", sentence * (2_000_000 // len(sentence)))
    assert time.process_time() - started < 10
    assert len(script.lines) == pytest.approx(2 * 2_000_000 // len(sentence), abs=2)
    assert {line.number for line in script.lines} == {1}
    assert max(len(line.text) for line in script.lines) < 60
    assert " ".join(texts(script)) == (sentence * (2_000_000 // len(sentence))).strip()


def test_two_megabytes_without_a_mark_are_cut_between_words(tmp_path: Path) -> None:
    script = read(tmp_path, "a.txt", "word and " * 220_000)
    assert " ".join(texts(script)) == ("word and " * 220_000).strip()
    assert max(len(line.text) for line in script.lines) <= MAX_CHARACTERS


def test_a_line_at_the_limit_is_whole_and_one_without_a_place_to_cut_is_refused(tmp_path: Path) -> None:
    whole = ("One. " * (MAX_CHARACTERS // 5)).strip()
    assert texts(read(tmp_path, "a.txt", whole)) == [whole]
    refused(tmp_path, "a.txt", "Fine.\n" + "x" * (MAX_CHARACTERS + 1), "line 2", "without a place to cut", "break it")
    assert len(read(tmp_path, "b.txt", "天地玄黄宇宙洪荒" * 300).lines) > 1


def test_a_hundred_thousand_lines_take_seconds_and_little_memory(tmp_path: Path) -> None:
    text = "".join(f"Line {number} says a little more than the one before it did.\n" for number in range(100_000))
    started = time.process_time()
    script = read(tmp_path, "a.txt", text)
    assert time.process_time() - started < 10
    assert (len(script.lines), script.lines[-1].number) == (100_000, 100_000)
    tracemalloc.start()
    read(tmp_path, "a.txt", text[: len(text) // 10])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 15_000_000  # of 10,000 lines
