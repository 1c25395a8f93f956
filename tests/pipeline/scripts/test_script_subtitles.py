"""Cues with their slots."""

from __future__ import annotations

from pathlib import Path

import pytest
from script_files import cast_of, read, refused, texts

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i> {\\an8}there,
my friend.

2
00:00:02,500 --> 00:00:04,000
<font color="red">a</font> < b

3
00:00:05,000 --> 00:00:06,000
[laughs]

4
01:00:00,000 --> 01:00:01,001
Last.
"""


def test_a_cue_is_a_line_with_a_slot(tmp_path: Path) -> None:
    script = read(tmp_path, "a.srt", SRT)
    assert script.timed
    assert [(line.number, line.text, line.start, line.end, line.gap) for line in script.lines] == [
        (1, "Hello there, my friend.", 1.0, 2.5, "start"),
        (2, "a < b", 2.5, 4.0, "line"),
        (4, "Last.", 3600.0, 3601.001, "line"),
    ]
    assert len(script.warnings) == 1
    assert "laughs" in script.warnings[0]


def test_webvtt_with_notes_and_voices(tmp_path: Path) -> None:
    text = "WEBVTT\n\nNOTE not read\n\nintro\n00:01.000 --> 00:02.000 align:left\n<v Ann>Hello &amp; <b>hi</b>\n"
    script = read(tmp_path, "a.vtt", text)
    assert [(line.text, line.start, line.end) for line in script.lines] == [("Hello & hi", 1.0, 2.0)]


def test_speakers_and_marks_in_cues(tmp_path: Path) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nANN: Hi.\n\n2\n00:00:02,000 --> 00:00:03,000\n[speed=1.5] Yes.\n"
    script = read(tmp_path, "a.srt", text, cast_of(tmp_path, "Ann: ann\n"))
    assert [(line.text, line.voice, line.speed) for line in script.lines] == [("Hi.", "ann", 1.0), ("Yes.", None, 1.5)]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (
            "00:00:02,499 --> 00:00:03,000",
            ["cue 1 (line 2, 00:00:01.000 to 00:00:02.500)", "cue 2 (line 6,", "overlap"],
        ),
        ("00:00:00,000 --> 00:00:00,500", ["cue 1", "cue 2", "in order of time"]),
        ("00:00:04,000 --> 00:00:03,000", ["cue 2", "ends before it begins"]),
        ("00:00:04,000 --> 00:00:04,000", ["cue 2", "ends before it begins"]),
        ("00:00:04 --> later", ["line 6", "should be like"]),
    ],
)
def test_wrong_times_are_refused(tmp_path: Path, second: str, words: list[str]) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,500\nOne.\n\n2\n{second}\nTwo.\n"
    refused(tmp_path, "a.srt", text, *words)


def test_what_is_no_subtitle_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "a.srt", "Just text.\n", "holds no subtitle", "00:00:01,000 --> 00:00:02,500")
    refused(tmp_path, "a.vtt", SRT, "WEBVTT")
    refused(tmp_path, "b.srt", "1\n00:00:01,000 --> 00:00:02,000\n[laughs]\n", "no line to speak")
    assert texts(read(tmp_path, "c.srt", SRT.encode("utf-16")))[0] == "Hello there, my friend."


def test_a_cue_that_is_too_long_is_refused(tmp_path: Path) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n" + "Words. " * 300
    refused(tmp_path, "a.srt", text, "cue 1", "above 2000 characters")
