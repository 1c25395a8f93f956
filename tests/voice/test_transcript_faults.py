"""A bad row is left out with a reason, and the good ones go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice.transcripts import load_transcript
from voice.transcripts.model import REASONS
from voice.transcripts.names import Names, safe_name

FILES = {"a.wav": "a", "b.wav": "b", "x/c.wav": "x-c", "y/c.wav": "y-c", 'it\'s "1".wav': "it-s-1", "n\nl.wav": "n-l"}
GOOD = {"file": "a.wav", "text": "fine"}


def reasons(folder: Path, name: str, text: str, files: dict[str, str] | None = None) -> dict[str, str]:
    (folder / "transcript.txt").touch()
    (folder / name).write_text(text, encoding="utf-8")
    found = load_transcript(folder, files or FILES)
    assert found.utterances, "the good rows go on"
    assert all(fault.reason in REASONS and "\n" not in str(fault) for fault in found.faults)
    return {fault.where.removeprefix(f"{name}: "): fault.reason for fault in found.faults if fault.reason != "no_row"}


BAD = [
    ({"file": "z.wav"}, "unknown_recording"),
    ({"file": ""}, "unknown_recording"),
    ({"file": None}, "unknown_recording"),
    ({"file": 7}, "unknown_recording"),
    ({"file": "c.wav"}, "ambiguous_recording"),
    ({"file": "../b.wav"}, "path_escape"),
    ({"file": "x\\..\\..\\b.wav"}, "path_escape"),
    ({"text": None}, "no_text"),
    ({"text": " ... "}, "no_text"),
    ({"text": ["x"]}, "no_text"),
    ({"text": "\ud800x"}, "bad_row"),
    ({"text": "bell \x07"}, "bad_row"),
    ({"start": 2, "end": 1}, "bad_times"),
    ({"start": 1, "end": 1}, "bad_times"),
    ({"start": 1}, "bad_times"),
    ({"start": -1, "end": 1}, "bad_times"),
    ({"start": True, "end": 2}, "bad_times"),
    ({"start": 0, "end": "1,5"}, "bad_times"),
    ({"start": 0, "end": "nan"}, "bad_times"),
    ({"start": 0, "end": 10**400}, "bad_times"),
    ({"start": 0, "end": []}, "bad_times"),
    ({"lang": "klingon"}, "unknown_language"),
    ({"lang": 3}, "unknown_language"),
    ({"words": "x"}, "bad_row"),
]


def test_bad_rows_of_jsonl(tmp_path: Path) -> None:
    rows = [json.dumps({"file": "b.wav", "text": "x"} | change) for change, _ in BAD]
    rows += [
        "{",
        "7",
        '{"file": "b.wav", "file": "b.wav", "text": "x"}',
        "[" * 100_000,
        '{"start": ' + "9" * 5000 + "}",
    ]
    found = reasons(tmp_path, "transcript.jsonl", "\n".join([json.dumps(GOOD), *rows]))
    expected = [reason for _, reason in BAD] + ["bad_row"] * 5
    assert found == {f"line {number}": reason for number, reason in enumerate(expected, start=2)}


def test_bad_rows_of_csv(tmp_path: Path) -> None:
    text = (
        "file,text,start,end\n"
        "a.wav,fine\n"  # row 2
        "b.wav,well, then\n"  # fits the columns, but the text went into the times
        "b.wav,a,b,c,d\n"
        "b.wav\n"
        '"b.wav","two\nlines",,\n'  # good
        "b.wav,again\n"
        "\n"
        "a.wav,part,0,1\n"
    )
    assert reasons(tmp_path, "transcript.csv", text) == {
        "row 3": "bad_times",
        "row 4": "bad_row",
        "row 5": "no_text",
        "row 7": "duplicate",
        "row 9": "duplicate",
    }


def test_spans_of_one_recording_may_follow_each_other_but_not_come_twice(tmp_path: Path) -> None:
    rows = [(0, 1), (1, 2), (0, 1), (None, None)]
    lines = [json.dumps({"file": "a.wav", "text": "x", "start": s, "end": e}) for s, e in rows]
    assert reasons(tmp_path, "transcript.jsonl", "\n".join(lines)) == {"line 3": "duplicate", "line 4": "duplicate"}


def test_bad_lines_of_a_list(tmp_path: Path) -> None:
    text = "a.wav|s|JP|fine | still text\n\nb.wav|s|en\nb.wav|s|xx|x\nb.wav|s|en|\n/q/z.wav|s|en|x\n"
    assert reasons(tmp_path, "transcript.list", text) == {
        "line 3": "bad_row",
        "line 4": "unknown_language",
        "line 5": "no_text",
        "line 6": "unknown_recording",
    }


def test_bad_subtitles(tmp_path: Path) -> None:
    text = (
        "stray\n\n1\n00:00:01,000 --> 00:00:02,000\nfine\n\n2\n00:00:03,000 --> 00:00:02,000\nbackwards\n\n"
        "3\n00:00:0x,000 --> 00:00:09,000\nwrong\n\n4\n00:00:05,000 --> 00:00:06,000\n\n"
        "5\n00:00:06,000 --> 00:00:07,000\n[laughs] ♪\n\n6\n00:00:06,5 --> 00:00:07,500\nhalf\n"
    )
    assert reasons(tmp_path, "transcript.srt", text, {"a.wav": "a"}) == {
        "line 1": "stray_text",
        "line 8": "bad_times",
        "line 12": "bad_times",
        "line 16": "no_text",
        "line 19": "not_speech",
        "line 23": "bad_times",
    }
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nfine\n\nlost line\n\n00:61.000 --> 01:02.000\nx\n"
    text += "\n00:03,000 --> 00:04,000\nx\n"
    (tmp_path / "transcript.srt").unlink()
    assert reasons(tmp_path, "transcript.vtt", text, {"a.wav": "a"}) == {
        "line 6": "stray_text",
        "line 8": "bad_times",
        "line 11": "bad_times",
    }


def test_a_recording_that_no_row_names_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "transcript.txt").touch()
    (tmp_path / "transcript.list").write_text("a.wav|s|en|x\n")
    (fault,) = load_transcript(tmp_path, {"a.wav": "a", "b.wav": "b"}).faults
    assert (fault.reason, fault.detail) == ("no_row", "'b.wav': no row gives words to it")


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ('it\'s "1".wav', 'it\'s "1".wav'),
        ("it-s-1.WAV", 'it\'s "1".wav'),
        ("n l.wav", "n\nl.wav"),
        ("./x//c.wav", "x/c.wav"),
        ("C:\\takes\\b.wav", "b.wav"),
    ],
)
def test_names_that_are_written_otherwise_are_found(written: str, file: str) -> None:
    assert Names(FILES).find(written) == file


def test_composed_and_decomposed_letters_are_one_name() -> None:
    assert Names(["cafe\u0301.wav"]).find("caf\u00e9.wav") == "cafe\u0301.wav"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a b'c\"\n.WAV", "a-b-c.wav"),
        ("../..\\x.wav", "x.wav"),
        ("录音 1.flac", "录音-1.flac"),
        ("...", "recording"),
        ("-rf.wav", "rf.wav"),
    ],
)
def test_safe_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe
