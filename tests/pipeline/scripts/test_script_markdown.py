"""Markdown: chapters, sentences, what is left out."""

from __future__ import annotations

import time
from pathlib import Path

from script_files import cast_of, read, refused, texts


def test_headings_are_chapters_and_paragraphs_sentences(tmp_path: Path) -> None:
    text = "Before.\n\n# One\n\nFirst sentence, which\nwraps. Second one.\n\nNew paragraph.\n\nTwo\n---\nText.\n"
    script = read(tmp_path, "a.md", text)
    assert script.chapters == ("", "One", "Two")
    assert [(line.number, line.chapter, line.text, line.gap) for line in script.lines] == [
        (1, 0, "Before.", "start"),
        (3, 1, "One", "chapter"),
        (5, 1, "First sentence, which wraps.", "paragraph"),
        (5, 1, "Second one.", "line"),
        (8, 1, "New paragraph.", "paragraph"),
        (10, 2, "Two", "chapter"),
        (12, 2, "Text.", "paragraph"),
    ]


def test_form_is_taken_off_its_words(tmp_path: Path) -> None:
    text = (
        "A *b* __c__ ~~d~~ [e](http://x 't') `f` <i>g</i> \\* &amp; h.\n\n> quoted\n> on\n\n- one\n- two\n\n3. three\n"
    )
    script = read(tmp_path, "a.md", text)
    assert texts(script) == ["A b c d e f g * & h.", "quoted on", "one", "two", "3. three"]
    assert [line.gap for line in script.lines] == ["start", "paragraph", "paragraph", "line", "paragraph"]


def test_what_is_no_speech_is_left_out_with_a_warning(tmp_path: Path) -> None:
    text = (
        "One[^1].\n\n```py\ncode()\n```\n\n    indented\n\n| a | b |\n|---|---|\n| c | d |\n\n![cat](c.png) Two.\n\n"
        "[^1]: A note of words.\n\n<!-- comment -->\n\n---\n\nx<y and z>w\n\n<div>Three <b>bold</b>.</div>\n"
    )
    script = read(tmp_path, "a.md", text)
    assert texts(script) == ["One.", "Two.", "x<y and z>w", "Three bold."]
    found = [warning.split("a.md, ")[1] for warning in script.warnings]
    assert found == [
        "line 3: a code block, left out",
        "line 7: an indented code block, left out",
        "line 9: a table, left out",
        "line 13: a picture (cat), left out",
        "line 15: a footnote, left out",
    ]


def test_settings_at_the_top_are_passed_over(tmp_path: Path) -> None:
    script = read(tmp_path, "a.md", "---\ntitle: X\n---\n\nText.\n")
    assert [(line.number, line.text) for line in script.lines] == [(5, "Text.")]
    assert texts(read(tmp_path, "b.md", "---\nA sentence only.\n\n---\nText.\n")) == ["A sentence only.", "Text."]


def test_titles_hold_no_marks_and_pauses_stay_in_their_line(tmp_path: Path) -> None:
    script = read(
        tmp_path, "a.md", "# {Lead|L EH1 D} 重(chong2)复 [pause 1s]\n\nOne. [pause 1s] Two of them. Three of them.\n"
    )
    assert script.chapters == ("Lead 重复",)
    assert texts(script)[1:] == ["One. [pause 1s]", "Two of them.", "Three of them."]


def test_an_edit_of_one_sentence_changes_one_line(tmp_path: Path) -> None:
    sentences = [
        f"The {word} ship left the harbour at dawn." for word in ("first", "second", "third", "fourth", "last")
    ]
    before = texts(read(tmp_path, "a.md", " ".join(sentences)))
    sentences[2] = "Nobody saw the third one go, for the fog lay thick on the water that day."
    assert texts(read(tmp_path, "a.md", " ".join(sentences))) == [*before[:2], sentences[2], *before[3:]]


def test_speakers_and_marks_cut_a_paragraph(tmp_path: Path) -> None:
    cast = cast_of(tmp_path, "ANN: ann\nBOB: bob\n")
    text = "# NOTE: A TITLE\n\nANN: Hello there.\nHow are you?\nBOB: Well.\n\n[voice=carl]\nHis words.\n\nMore.\n"
    script = read(tmp_path, "a.md", text, cast)
    assert [(line.number, line.text, line.voice) for line in script.lines] == [
        (1, "NOTE: A TITLE", None),
        (3, "Hello there.", "ann"),
        (4 - 1, "How are you?", "ann"),
        (5, "Well.", "bob"),
        (8, "His words.", "carl"),
        (10, "More.", "carl"),
    ]


def test_an_ordered_item_may_have_marks(tmp_path: Path) -> None:
    line = read(tmp_path, "a.md", "7. [speed=1.2] go on\n").lines[0]
    assert (line.text, line.speed) == ("7. go on", 1.2)


def test_a_book_without_words_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "a.md", "```\ncode\n```\n", "no line to speak")
    refused(tmp_path, "b.md", "One.\n\n[speed=9] Two.\n", "line 3", "speed=9", "0.4 to 3")


def test_a_comment_that_never_ends_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "a.md", "One.\n\n<!-- a note\n\nTwo.\n", "line 3", "never ends")


def test_two_megabytes_of_wrapped_lines_are_one_paragraph(tmp_path: Path) -> None:
    line = "He went on along the shore. She\n"
    started = time.process_time()
    script = read(tmp_path, "a.md", line * (2_000_000 // len(line)))
    assert time.process_time() - started < 20
    assert script.lines[1].text == "She He went on along the shore."
    assert len(script.lines) == 2_000_000 // len(line)  # the last "She" is too short for a line
    assert texts(read(tmp_path, "b.md", "天地\n玄黄 and\nmore 天\n")) == ["天地玄黄 and more 天"]
