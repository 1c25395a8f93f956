"""Every format gives the same utterances; every encoding is read or refused by name; the right file is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice.errors import UserError
from voice.transcripts import Transcript, load_transcript

FILES = {"a.wav": "a", "sub/b b.wav": "sub-b-b"}
SAID = [("a.wav", "Hello, world.", "en"), ("sub/b b.wav", "你好，世界。", "zh")]


def folder_with(folder: Path, plain: str | bytes | None = "", **others: str | bytes) -> Path:
    """`others` by suffix, as csv="..."."""
    for suffix, content in {"txt": plain, **others}.items():
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (folder / f"transcript.{suffix}").write_bytes(data)
    return folder


def said(found: Transcript) -> list[tuple[str | None, str, str | None]]:
    return [(u.recording, u.text, u.lang) for u in found.utterances]


ROWS = {
    "csv": 'file,text,lang\na.wav,"Hello, world.",en\nsub/b b.wav,"你好，世界。",ZH\n',
    "tsv": "text\tfile\tlang\nHello, world.\ta.wav\tEN\n你好，世界。\tsub\\b b.wav\tzh\n",
    "jsonl": '{"file": "a.wav", "text": "Hello, world.", "lang": "en"}\n\n'
    '{"lang": "zh", "text": "你好，世界。", "file": "./sub/b b.wav"}\n',
    "list": "D:\\out\\slicer\\a.wav|bob|EN|Hello, world.\n/home/u/b b.wav|bob|zh|你好，世界。\n",
}


@pytest.mark.parametrize("suffix", ROWS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_of_every_format_say_the_same(tmp_path: Path, suffix: str, encoding: str, end: str) -> None:
    folder_with(tmp_path, **{suffix: ROWS[suffix].replace("\n", end).encode(encoding)})
    found = load_transcript(tmp_path, FILES)
    assert said(found) == SAID and found.faults == () and found.source_file == tmp_path / f"transcript.{suffix}"
    first = {"csv": "row 2", "tsv": "row 2"}.get(suffix, "line 1")
    assert found.utterances[0].where == f"transcript.{suffix}: {first}"


SRT = """1
00:00:00,500 --> 00:00:02,250
<i>Hello,</i> {\\an8}world &amp; all.

2
01:00:02.500 --> 01:00:04,000
你好，
世界。
2026
"""
VTT = """WEBVTT Kind: captions
Language: en

STYLE
::cue { color: red }

NOTE nothing
that is said

first one
00:00.500 --> 00:02.250 align:start
<v Bob>Hello,</v> world &amp; all.

01:00:02.500 --> 01:00:04.000
你好，
世界。
2026
"""


@pytest.mark.parametrize(("suffix", "text"), [("srt", SRT), ("vtt", VTT)])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_subtitles_have_times_and_lose_their_marks(tmp_path: Path, suffix: str, text: str, end: str) -> None:
    folder_with(tmp_path, **{suffix: ("\ufeff" + text.replace("\n", end))})
    found = load_transcript(tmp_path, {"a.wav": "a"})
    assert [(u.recording, u.start, u.end, u.lang) for u in found.utterances] == [
        ("a.wav", 0.5, 2.25, None),
        ("a.wav", 3602.5, 3604.0, None),
    ]
    assert [u.text for u in found.utterances] == ["Hello, world & all.", "你好， 世界。 2026"]
    assert found.faults == ()


def test_subrip_without_numbers_hours_and_blank_lines_is_read(tmp_path: Path) -> None:
    text = "00:01,000 --> 00:02,000\none\n\nstill one\n7\n00:00:03,000 --> 00:00:04,000\ntwo\n"
    found = load_transcript(folder_with(tmp_path, srt=text), {"a.wav": "a"})
    assert [(u.text, u.start) for u in found.utterances] == [("one still one", 1.0), ("two", 3.0)]


def test_plain_text_is_a_line_an_utterance_and_stays_plain(tmp_path: Path) -> None:
    folder_with(tmp_path, "a|b|c\nHE WENT TO TOWN\n\n file,text \nbe there at 10:30 --> sharp\n")
    found = load_transcript(tmp_path, FILES)
    assert [u.text for u in found.utterances] == [
        "a|b|c",
        "he went to town",
        "file,text",
        "be there at 10:30 --> sharp",
    ]
    assert {(u.recording, u.start, u.end, u.lang) for u in found.utterances} == {(None, None, None, None)}
    assert found.utterances[2].where == "transcript.txt: line 4"


@pytest.mark.parametrize(("text", "name"), [(SRT, "srt"), (VTT, "vtt"), (ROWS["list"], "list")])
def test_another_format_in_the_plain_file_is_refused_by_name(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(UserError, match=rf"not plain text \(rename it to transcript\.{name}"):
        load_transcript(folder_with(tmp_path, text), FILES)


def test_no_words_anywhere_leaves_them_to_a_recogniser(tmp_path: Path) -> None:
    assert load_transcript(folder_with(tmp_path, "\ufeff \n"), FILES) == Transcript((), None, ())


def test_audio_and_backups_named_like_a_transcript_are_none(tmp_path: Path) -> None:
    for name in ("transcript.wav", "transcript.txt.bak", "transcript.csv~", "transcript.bak", ".transcript.csv"):
        (tmp_path / name).write_text("x")
    assert load_transcript(folder_with(tmp_path), {"transcript.wav": "transcript"}).source_file is None


@pytest.mark.parametrize(
    ("plain", "others", "said"),
    [
        (None, {}, "no transcript .*write the spoken words"),
        (None, {"srt": SRT}, "no transcript .*leave it empty"),
        ("words", {"srt": SRT}, r"two transcripts, transcript\.txt and transcript\.srt"),
        ("", {"srt": SRT, "list": "x"}, r"two transcripts, transcript\.list and transcript\.srt"),
        ("", {"docx": "x"}, r"transcript\.docx: not a format .*txt, srt, vtt, csv, tsv, jsonl, list"),
        ("...", {}, "holds no words"),
        ("", {"csv": ""}, "the table is empty"),
        ("", {"csv": "file;text\na.wav;x"}, "row 1: its columns are divided by ';', not by commas"),
        ("", {"csv": "file,txt\na.wav,x"}, "row 1: unknown column 'txt' .did you mean text"),
        ("", {"csv": "text,lang\nx,en"}, "row 1: no column 'file'"),
        ("", {"csv": "file,text,file\na,x,a"}, "column 'file' is there twice"),
        ("", {"csv": 'file,text\na.wav,hi\na.wav,"x\ny'}, "row 3, line 4: unexpected end of data"),
        ("", {"csv": "file,text\n"}, "no row can be used .a row is file,text"),
        ("", {"csv": "file,text\nc.wav,x"}, "the first of 1: transcript.csv: row 2: unknown_recording"),
        ("", {"jsonl": "[]\n"}, "line 1: bad_row: not a JSON object"),
        ("", {"list": "hello"}, "1 fields, should be path"),
        ("", {"srt": "hello"}, "holds no subtitle"),
        ("", {"srt": SRT}, "do not say which of 2 recordings"),
        ("", {"vtt": SRT}, "line 1: not WebVTT"),
    ],
)
def test_what_cannot_be_used_at_all_is_one_line(
    tmp_path: Path, plain: str | None, others: dict[str, str], said: str
) -> None:
    with pytest.raises(UserError, match=said) as caught:
        load_transcript(folder_with(tmp_path, plain, **others), FILES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "encoding", "guess"),
    [
        ("今天的天气真好，我们出去走走吧。", "gbk", "GBK"),
        ("今日はとても良い天気ですね。駅はどこですか。", "shift_jis", "SHIFT_JIS"),
        ("오늘은 날씨가 정말 좋네요. 어디로 갈까요?", "euc_kr", "CP949"),
        ("un café très noir", "latin-1", "CP1252"),
    ],
)
@pytest.mark.parametrize("suffix", ["txt", "srt", "csv", "jsonl", "list"])
def test_another_encoding_is_named_with_line_and_byte_never_guessed(
    tmp_path: Path, text: str, encoding: str, guess: str, suffix: str
) -> None:
    data = b"one\r\n\xff\n".replace(b"\xff", text.encode(encoding))
    at = next(i for i, byte in enumerate(data) if byte > 127)
    folder_with(tmp_path, **({"plain": data} if suffix == "txt" else {suffix: data}))
    with pytest.raises(UserError, match=rf"line 2: not UTF-8 at byte {at} .*perhaps {guess} .*iconv -f {guess}"):
        load_transcript(tmp_path, FILES)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("one\ntwo".encode("utf-16-le"), "line 1: a zero byte at byte 1"),
        (b"\xff\xfea\x00b", "line 1: not UTF-16-LE at byte 4"),
        (b"\xef\xbb\xbfab\xff", "not UTF-8 at byte 5"),
        (b"\x80\x81\xfe\xff", "not UTF-8 at byte 0"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_transcript(folder_with(tmp_path, data), FILES)
