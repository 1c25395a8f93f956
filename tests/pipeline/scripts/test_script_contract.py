"""The table of a parsed script, and what holds for every script whatever is in it."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from script_files import cast_of, epub, package, page, read, texts

from pipeline.scripts import Script, read_script
from pipeline.scripts.contract import ParsedScript, parsed_table, write_parsed
from pipeline.scripts.lines import MAX_CHARACTERS, has_words
from pipeline.scripts.sentences import cut
from voice.errors import UserError
from voice.tables import read_table, rows_of

SIGNS = [
    *"\n aB重.。\"[]<>&#{},:\t\\*_é", "(chong2)", "! ", "[voice=x]", "[pause 1s]", "[en]", "[/en]", "{a|b}", "ANN: ",
    "<b>", "# ", "- ", "1. ", "```\n", "| a |\n|---|\n", "---\n", "[^1]", "00:00:01,000 --> 00:00:02,000\n",
    "WEBVTT\n\n", "00:01.000 --> 00:02.000\n", '{"text": "a"}', "text,voice\n", "\u2028", "\x0c", "\ud7ff",
    "\U0001f600", "e\u0301", "<![x[", "&#xd800;", "[ref=", "[seed=1]", '"""', "<p>", "</p>", "<table>", "<!--",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(SIGNS) | st.text(max_size=3), max_size=30).map("".join)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def holds(script: Script) -> None:
    """What every script keeps, besides its contract."""
    assert [line.index for line in script.lines] == list(range(1, len(script.lines) + 1))
    numbers = [line.number for line in script.lines]
    assert numbers == sorted(numbers)
    assert [line.chapter for line in script.lines] == sorted(line.chapter for line in script.lines)
    assert {line.chapter for line in script.lines} == set(range(len(script.chapters)))
    for line in script.lines:
        assert line.text == " ".join(unicodedata.normalize("NFC", line.text).split())
        assert len(line.text) <= MAX_CHARACTERS
    ParsedScript.validate(parsed_table(script), lazy=True)


@pytest.mark.parametrize("suffix", ["txt", "md", "jsonl", "csv", "srt", "vtt"])
@given(text=TEXT)
@QUICK
def test_any_text_is_a_script_or_one_clear_error(tmp_path: Path, suffix: str, text: str) -> None:
    cast = cast_of(tmp_path, "ANN: ann\n")
    head = {"csv": "text,voice\n", "vtt": "WEBVTT\n\n"}.get(suffix, "")
    for whole in (text, head + text):
        try:
            holds(read(tmp_path, f"a.{suffix}", encoded(whole), cast))
        except UserError as error:
            assert f"a.{suffix}" in str(error)
            assert "\n" not in str(error)


@given(body=TEXT)
@QUICK
def test_any_document_of_an_epub_is_read_or_one_clear_error(tmp_path: Path, body: str) -> None:
    text = page(body).encode("utf-8", "replace").decode()
    try:
        holds(read_script(epub(tmp_path / "a.epub", {"a.xhtml": text}, package(["a.xhtml"]))))
    except UserError as error:
        assert "a.epub" in str(error)
        assert "\n" not in str(error)


@given(data=st.binary(max_size=200), suffix=st.sampled_from(["txt", "md", "jsonl", "csv", "srt", "vtt", "epub"]))
@QUICK
def test_any_bytes_are_a_script_or_one_clear_error(tmp_path: Path, data: bytes, suffix: str) -> None:
    try:
        holds(read(tmp_path, f"a.{suffix}", data))
    except UserError as error:
        assert "\n" not in str(error)


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="[]<>&", exclude_categories=["Cc", "Zl", "Zp"]))


@given(
    lines=st.lists(WORDS.map(lambda text: " ".join(unicodedata.normalize("NFC", text).replace("\ufeff", "").split())))
)
@QUICK
def test_lines_of_a_text_survive_a_round_trip(tmp_path: Path, lines: list[str]) -> None:
    spoken = [line for line in lines if has_words(line)]
    if not spoken:
        return
    assert texts(read(tmp_path, "a.txt", "\n".join(lines))) == spoken
    assert texts(read(tmp_path, "b.txt", "\n".join(spoken))) == spoken


@given(
    st.lists(
        st.sampled_from(
            ["He came.", "「行く。」", "Mr. X?", "好。", "[pause 1s]", '"Yes. No."', "[zh]一。二[/zh]", "a,", "{b|c}"]
        )
    )
)
@settings(deadline=None)
def test_cutting_keeps_every_sign(parts: list[str]) -> None:
    text = " ".join(parts)
    if has_words(text.replace("[pause 1s]", "")):
        assert "".join("".join(cut(text)).split()) == "".join(text.split())


def whole(tmp_path: Path) -> Script:
    (tmp_path / "r.wav").write_bytes(b"x")
    rows = [
        {"text": "One.", "seed": 5, "ref": "r.wav", "chapter": "A"},
        {"text": "Two.", "voice": "bob", "chapter": "B"},
    ]
    return read(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))


def test_a_parsed_script_is_written_and_read_again(tmp_path: Path) -> None:
    script = whole(tmp_path)
    write_parsed(script, tmp_path / "out/script.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out/script.jsonl").read_text(encoding="utf-8").splitlines()]
    none = dict.fromkeys(["voice", "lang", "ref_text", "start", "end"])
    said = {"text": "One.", "speed": 1.0, "pause": 0.0, "seed": 5, "ref": str(tmp_path / "r.wav")}
    assert rows[0] == {"index": 1, "number": 1, "chapter": 0, "title": "A", "gap": "start"} | said | none
    assert (rows[1]["seed"], rows[1]["voice"], rows[1]["title"]) == (None, "bob", "B")
    assert [row["text"] for row in rows_of(read_table(tmp_path / "out/script.jsonl", ParsedScript))] == ["One.", "Two."]


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"index": 3}, "counts from 1"),
        ({"number": 0}, "does not fall"),
        ({"gap": "line"}, "chapter where one begins"),
        ({"text": " "}, "not empty"),
        ({"lang": "fr"}, "or none"),
        ({"speed": 9.0}, "in [0.4, 3]"),
        ({"seed": -1}, "whole number"),
        ({"start": 2.0, "end": 1.0}, "slots have a length"),
    ],
)
def test_a_script_off_its_contract_is_not_written(tmp_path: Path, wrong: dict[str, object], rule: str) -> None:
    script = whole(tmp_path)
    bad = replace(script, lines=(script.lines[0], replace(script.lines[1], **wrong)))
    with pytest.raises(UserError) as caught:
        write_parsed(bad, tmp_path / "script.jsonl")
    assert rule in str(caught.value)
    assert not (tmp_path / "script.jsonl").exists()
