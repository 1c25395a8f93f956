from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.errors import UserError
from voice.transcript import join, read_transcript, tokens


def texts(line: str) -> list[str]:
    return [token.text for token in tokens(line)]


def test_chinese_goes_by_character_and_latin_by_word_with_marks_attached() -> None:
    assert texts("他说，ABC很好。 Hi, Bob - ok!") == [
        "他",
        "说，",
        "ABC",
        "很",
        "好。",
        "Hi,",
        "Bob -",
        "ok!",
    ]
    assert texts("“你好”") == ["“你", "好”"]


@given(st.text(alphabet="ab你好，。,.! 'x-7", max_size=40).map(str.strip))
def test_joining_the_tokens_gives_the_line_again(line: str) -> None:
    if any(c.isalnum() for c in line):
        assert "".join(join(tokens(line)).split()) == "".join(line.split())


def test_lines_are_stripped_and_capitals_brought_down(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("\ufeff\n HE WENT TO TOWN \n\nNASA said so\n", encoding="utf-8")
    assert read_transcript(path) == ["he went to town", "NASA said so"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "no words"), (b" \n...\n", "no words"), (b"caf\xe9 noir", "not UTF-8 at byte 3")],
)
def test_an_unusable_transcript_says_why(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(data)
    with pytest.raises(UserError, match=reason):
        read_transcript(path)
    with pytest.raises(UserError, match="no transcript"):
        read_transcript(tmp_path / "gone.txt")
