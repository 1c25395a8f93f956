"""Rows of JSONL and CSV."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from script_files import cast_of, read, refused, texts


def test_a_row_says_how_it_is_spoken(tmp_path: Path) -> None:
    (tmp_path / "refs").mkdir()
    (tmp_path / "refs/a.wav").write_bytes(b"x")
    full = {"text": " Hello  there. ", "voice": "bob", "lang": "EN", "ref": "refs/a.wav", "ref_text": "What?",
            "speed": 1.25, "pause": 0.5, "seed": 7, "chapter": "One"}  # fmt: skip
    rows = [full, {"text": "Next."}, {"text": "New.", "chapter": "Two", "voice": None}]
    lines = read(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows))).lines
    first = lines[0]
    assert (first.text, first.voice, first.lang, first.ref_text) == ("Hello there.", "bob", "en", "What?")
    assert (first.speed, first.pause, first.seed, first.gap) == (1.25, 0.5, 7, "start")
    assert Path(first.ref or "").samefile(tmp_path / "refs/a.wav")
    assert [(line.chapter, line.gap, line.voice, line.pause) for line in lines[1:]] == [
        (0, "line", None, 0.0),
        (1, "chapter", None, 0.0),
    ]


def test_the_same_rows_in_csv(tmp_path: Path) -> None:
    text = (
        '\ufefftext,Voice,speed,pause,seed,chapter\n"Hi, ""you"".",bob,1.5,.5,3,One\nNext.,,,,,\n,,,,,\nLast.,,,,,Two\n'
    )
    script = read(tmp_path, "a.csv", text)
    assert script.chapters == ("One", "Two")
    assert [
        (line.number, line.text, line.voice, line.speed, line.pause, line.seed, line.gap) for line in script.lines
    ] == [
        (2, 'Hi, "you".', "bob", 1.5, 0.5, 3, "start"),
        (3, "Next.", None, 1.0, 0.0, None, "line"),
        (5, "Last.", None, 1.0, 0.0, None, "chapter"),
    ]


def test_marks_come_before_columns_and_columns_before_the_cast(tmp_path: Path) -> None:
    cast = cast_of(tmp_path, "narrator: nina\nANN:\n  voice: ann\n  speed: 1.5\n")
    rows = [
        {"text": "ANN: One."},
        {"text": "ANN: Two.", "voice": "bob"},
        {"text": "[voice=carl] Three.", "voice": "bob"},
    ]
    script = read(tmp_path, "a.jsonl", "\n".join(map(json.dumps, [*rows, {"text": "Four."}])), cast)
    assert [(line.text, line.voice, line.speed) for line in script.lines] == [
        ("One.", "ann", 1.5),
        ("Two.", "bob", 1.5),
        ("Three.", "carl", 1.0),
        ("Four.", "nina", 1.0),
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"text": "x"', ["not JSON"]),
        ("[1]", ["not a JSON object"]),
        ('{"text": "x", "text": "y"}', ["twice"]),
        ('{"text": "x", "voise": "bob"}', ["unknown column 'voise'", "did you mean voice"]),
        ('{"voice": "bob"}', ["no letter or digit"]),
        ('{"text": "..."}', ["no letter or digit"]),
        ('{"text": "[voice=bob]"}', ["only marks"]),
        ('{"text": 5}', ["text = 5", "not text"]),
        ('{"text": "\\ud800 x"}', ["half of a character"]),
        ('{"text": "x", "voice": "../../etc"}', ["not a name of a voice"]),
        ('{"text": "x", "lang": "fr"}', ["lang = 'fr'", "not one of"]),
        ('{"text": "x", "speed": 0}', ["speed = 0", "0.4 to 3"]),
        ('{"text": "x", "speed": NaN}', ["speed", "0.4 to 3"]),
        ('{"text": "x", "speed": true}', ["speed", "not a number"]),
        ('{"text": "x", "pause": -1}', ["pause = -1"]),
        ('{"text": "x", "seed": 1.5}', ["not a whole number"]),
        ('{"text": "x", "seed": 99999999999}', ["seed"]),
        ('{"text": "x", "ref": "no.wav"}', ["ref = 'no.wav'", "no such file"]),
        ('{"text": "x", "ref": "../a.jsonl"}', ["leaves the folder"]),
        ('{"text": "<b>x</b>"}', ["HTML"]),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_value(tmp_path: Path, row: str, words: list[str]) -> None:
    refused(tmp_path, "a.jsonl", '{"text": "Fine."}\n' + row + "\n", "line 2", *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("text,voice\nOne.,bob,more\n", ["row 2", "3 fields, the header has 2"]),
        ("text,voice\nOne.,bob\nTwo.\n", ["row 3", "1 fields, the header has 2"]),
        ("text,speaker\nOne.,bob\n", ["row 1", "unknown column 'speaker'"]),
        ("text,text\nOne.,b\n", ["twice"]),
        ("voice\nbob\n", ["no column 'text'"]),
        ("text;voice\nOne.;bob\n", ["divided by ';'"]),
        ('text\n"One.\n', ["row 2"]),
        ("text\n", ["no line to speak"]),
        ("text,speed\nOne.,fast\n", ["row 2", "speed = 'fast'", "not a number"]),
        ("text,seed\nOne.,³\n", ["row 2", "seed"]),
    ],
)
def test_a_bad_table_is_refused_with_its_row(tmp_path: Path, text: str, words: list[str]) -> None:
    refused(tmp_path, "a.csv", text, *words)


def test_a_long_row_is_cut_and_pauses_once(tmp_path: Path) -> None:
    row = {"text": "A sentence of words. " * 200, "pause": 1, "voice": "bob"}
    script = read(tmp_path, "a.jsonl", json.dumps(row))
    assert texts(script) == ["A sentence of words."] * 200
    assert [line.pause for line in script.lines] == [1.0] + [0.0] * 199
    assert {line.voice for line in script.lines} == {"bob"}
