"""Cues are in order, never overlap, and other programs read them."""

from __future__ import annotations

import re
from pathlib import Path

import webvtt
from hypothesis import given
from hypothesis import strategies as st

from voice.mastering.subtitles import Cue, Word, srt, vtt
from voice.transcripts.model import Row
from voice.transcripts.subtitles import read_subtitles

HELLO = Cue("Hello, big world.", 1.0, 2.5004, (Word("Hello", 1.0, 1.3), Word("big", 1.5, 1.7), Word("world", 1.8, 2.4)))


def test_both_forms_of_a_plain_cue() -> None:
    assert srt([HELLO]) == "1\n00:00:01,000 --> 00:00:02,500\nHello, big world.\n"
    assert vtt([HELLO]) == (
        "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.500\nHello, <00:00:01.500>big <00:00:01.800>world.\n"
    )


def test_words_that_the_text_does_not_have_or_that_go_back_get_no_time() -> None:
    words = (Word("one", 0.0, 0.1), Word("2", 0.3, 0.4), Word("two", 0.5, 0.6), Word("two", 0.4, 0.6), Word("x", 9, 9))
    text = vtt([Cue("one two two x", 0.0, 1.0, words)]).splitlines()[-1]
    assert text == "one <00:00:00.500>two two x"


def test_signs_with_a_meaning_are_harmless() -> None:
    cue = Cue('a --> b\n\n2\n<i>"Tom & Jo"</i>\x00', 0, 1, (Word("&", 0.5, 0.6),))
    lines = vtt([cue]).split("\n")
    assert lines[4] == 'a --&gt; b 2 &lt;i&gt;"Tom <00:00:00.500>&amp; Jo"&lt;/i&gt;' and lines[5:] == [""]
    assert srt([cue]).split("\n")[2:] == ['a → b 2 <i>"Tom & Jo"</i>', ""]


def test_hours_count_on_and_cues_without_text_are_left_out() -> None:
    assert "100:00:00.250 --> 100:00:01.000" in vtt([Cue("x", 360000.2499, 360001), Cue(" \n", 0, 1)])
    assert vtt([]) == "WEBVTT\n" and srt([]) == ""


times = st.floats(0, 1e4)
cues = st.lists(st.builds(Cue, st.text(st.characters(codec="utf-8"), max_size=20), times, times), max_size=12)
CLOCKS = re.compile(r"^(\d+):(\d\d):(\d\d)[.,](\d{3}) --> (\d+):(\d\d):(\d\d)[.,](\d{3})$", re.MULTILINE)


@given(cues)
def test_no_cue_overlaps_the_next_whatever_comes_in(given_cues: list[Cue]) -> None:
    for text in (srt(given_cues), vtt(given_cues)):
        last = 0
        for clock in CLOCKS.findall(text):
            h, m, s, ms, h2, m2, s2, ms2 = map(int, clock)
            start, end = ((h * 60 + m) * 60 + s) * 1000 + ms, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2
            assert last <= start < end
            last = end


def test_the_project_itself_and_webvtt_read_them_back(tmp_path: Path) -> None:
    given_cues = [HELLO, Cue("Zweiter Satz.", 2.4, 3.0), Cue("第三句。", 3.5, 5.25)]
    (tmp_path / "x.vtt").write_text(vtt(given_cues), encoding="utf-8")
    assert [caption.text for caption in webvtt.read(tmp_path / "x.vtt")] == [cue.text for cue in given_cues]
    for form, text in ((".srt", srt(given_cues)), (".vtt", vtt(given_cues))):
        rows = list(read_subtitles(text, tmp_path / f"transcript{form}"))
        assert all(isinstance(row, Row) for row in rows)
        spans = [(row.start, row.end) for row in rows if isinstance(row, Row)]
        assert spans == [(1.0, 2.4), (2.4, 3.0), (3.5, 5.25)]
