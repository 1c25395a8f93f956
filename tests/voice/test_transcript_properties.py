"""Whatever the bytes: utterances, faults, or one line; and what is written as a format is read again from it."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from voice.errors import UserError
from voice.transcripts import load_transcript
from voice.transcripts.load import READERS
from voice.transcripts.names import Names, safe_name
from voice.transcripts.plain import has_words, tidy

FILES = ["a.wav", "b c.wav", "sub/d.wav", "e\u0301.wav"]
QUICK = settings(max_examples=60, deadline=None)
# Pieces that parsers stumble over, beside any text.
PIECES = st.sampled_from(
    ["WEBVTT\n\n", "1\n", "00:00:01,000 --> 00:00:02,000\n", "00:01.000 --> 00:02.000\n", "-->", "\n\n", "\r", ",", "|",
     "\t", '"', "{", "}", "\\", "../", "a.wav", "file,text\n", '{"file":"a.wav","text":"x"}\n', "a.wav|s|en|x\n", "<v>",
     "99999999999999999999:00:00,000 --> 00:00:00,000\n", "&#xD800;", "&#99999999;", "\u2028", "\x00", "\x1c", "NaN"]
)  # fmt: skip
RUBBISH = st.lists(PIECES | st.text(max_size=8), max_size=25).map("".join)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40).filter(has_words)


def load(suffix: str, data: bytes, files: list[str]) -> tuple[list[tuple[str, str | None, float | None]], list[str]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "transcript.txt").touch()
        (folder / f"transcript{suffix}").write_bytes(data)
        found = load_transcript(folder, {file: file for file in files})
        return [(u.text, u.recording, u.start) for u in found.utterances], [str(fault) for fault in found.faults]


@QUICK
@given(
    st.sampled_from([".txt", *READERS]),
    RUBBISH.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=80),
    st.sampled_from([["a.wav"], FILES]),
)
def test_rubbish_is_told_in_one_line_or_left_out(suffix: str, data: bytes, files: list[str]) -> None:
    try:
        good, faults = load(suffix, data, files)
    except UserError as error:
        assert "\n" not in str(error) and "\r" not in str(error)
    else:
        assert all(has_words(text) and "\n" not in text for text, _, _ in good)
        assert all(recording is None or recording in files for _, recording, _ in good)
        assert all("\n" not in fault for fault in faults)


@QUICK
@given(st.dictionaries(st.sampled_from(FILES), WORDS, min_size=1), st.sampled_from([".csv", ".jsonl", ".list"]))
def test_rows_round_trip(said: dict[str, str], suffix: str) -> None:
    if suffix == ".csv":
        buffer = io.StringIO(newline="")
        csv.writer(buffer).writerows([["file", "text"], *said.items()])
        text = buffer.getvalue()
    elif suffix == ".jsonl":
        text = "".join(json.dumps({"file": f, "text": t}, ensure_ascii=False) + "\n" for f, t in said.items())
    else:
        text = "".join(f"{file}|me|en|{words}\n" for file, words in said.items())
    good, faults = load(suffix, text.encode(), list(said))
    assert good == [(tidy(words), file, None) for file, words in said.items()] and faults == []


@QUICK
@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 60_000)), min_size=1, max_size=8, unique=True),
    st.text("abc xyz你好,.!?'", min_size=1, max_size=30).filter(has_words),
    st.booleans(),
)
def test_subtitles_round_trip(spans: list[tuple[int, int]], words: str, vtt: bool) -> None:
    def clock(ms: int) -> str:
        mark = "." if vtt else ","
        return f"{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}{mark}{ms % 1000:03d}"

    cues = [f"{n}\n{clock(s)} --> {clock(s + d)}\n{words}\n" for n, (s, d) in enumerate(spans, start=1)]
    text = ("WEBVTT\n\n" if vtt else "") + "\n".join(cues)
    good, faults = load(".vtt" if vtt else ".srt", text.encode(), ["a.wav"])
    assert good == [(tidy(words), "a.wav", s / 1000) for s, _ in spans] and faults == []


@given(st.text(max_size=60))
def test_a_safe_name_is_safe_and_stays_as_it_is(name: str) -> None:
    safe = safe_name(name)
    assert safe and not set(safe) & set("/\\\n\r\0 '\"") and not safe.startswith((".", "-"))
    assert safe_name(safe) == safe


@given(st.text(max_size=40))
def test_no_written_name_leads_out_of_the_folder(written: str) -> None:
    found = Names(FILES).find(written)
    assert found in FILES or isinstance(found, tuple)
