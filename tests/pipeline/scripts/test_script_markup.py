"""What lines say about themselves, and casts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from script_files import cast_of, read, refused

from voice.errors import UserError


def voices(folder: Path, text: str, cast: str | None = None) -> list[tuple[str, str | None]]:
    script = read(folder, "a.txt", text, cast_of(folder, cast) if cast is not None else None)
    return [(line.text, line.voice) for line in script.lines]


def test_marks_at_the_start_hold_for_the_line_and_alone_from_there_on(tmp_path: Path) -> None:
    text = "[voice=ann] One.\nTwo.\n[voice=bob] [speed=1.5]\nThree.\n\n[voice=ann]Four.\n[voice=]\nFive.\n"
    script = read(tmp_path, "a.txt", text)
    assert [(line.number, line.text, line.voice, line.speed) for line in script.lines] == [
        (1, "One.", "ann", 1.0),
        (2, "Two.", None, 1.0),
        (4, "Three.", "bob", 1.5),
        (6, "Four.", "ann", 1.5),
        (8, "Five.", None, 1.5),
    ]


def test_all_marks(tmp_path: Path) -> None:
    (tmp_path / "r.wav").write_bytes(b"x")
    line = read(tmp_path, "a.txt", "[lang=zh][ref=r.wav][ref_text=你 好][SEED = 5][speed=0.8] 重(chong2)复").lines[0]
    assert (line.lang, line.ref, line.ref_text, line.seed, line.speed) == (
        "zh",
        str(tmp_path / "r.wav"),
        "你 好",
        5,
        0.8,
    )
    assert line.text == "重(chong2)复"


def test_a_new_voice_ends_the_reference_of_another(tmp_path: Path) -> None:
    (tmp_path / "r.wav").write_bytes(b"x")
    text = "[voice=ann][ref=r.wav]\nOne.\n[voice=bob] Two.\n[voice=bob]\nThree.\n"
    assert [bool(line.ref) for line in read(tmp_path, "a.txt", text).lines] == [True, False, False]


def test_a_cast_gives_speakers_their_voices(tmp_path: Path) -> None:
    cast = "narrator: nina\nALICE: alice_v2\nMr Bob:\n  voice: bob\n  speed: 1.1\n小红: hong\n"
    text = "Once.\nAlice: Hi.\nmr  bob: [speed=2] Ho.\n小红：你好。\n"
    text += "She said: no.\nCarl: hm.\nNARRATOR: End.\n[voice=x] Y.\n"
    assert voices(tmp_path, text, cast) == [
        ("Once.", "nina"),
        ("Hi.", "alice_v2"),
        ("Ho.", "bob"),
        ("你好。", "hong"),
        ("She said: no.", "nina"),
        ("Carl: hm.", "nina"),
        ("End.", "nina"),
        ("Y.", "x"),
    ]
    assert voices(tmp_path, "ALICE: Hi.\n12:30 it is.\n") == [("ALICE: Hi.", None), ("12:30 it is.", None)]


def test_a_speaker_in_capitals_who_is_not_in_the_cast_is_refused(tmp_path: Path) -> None:
    cast = cast_of(tmp_path, "ANN: ann\n")
    refused(tmp_path, "a.txt", "ANN: Hi.\nBOB: Ho.\n", "line 2", "BOB is not in the cast", "known: ANN", cast=cast)
    refused(tmp_path, "a.txt", "ANN:\n", "line 1", "says nothing", cast=cast)
    assert voices(tmp_path, "Q: how?\nHTTP://x\n", "ANN: ann\n") == [("Q: how?", None), ("HTTP://x", None)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[voice=../x] Hi.", ["not a name of a voice"]),
        ("[voice=a][voice=b] Hi.", ["twice"]),
        ("[volume=3] Hi.", ["[volume=3]: unknown mark", "voice, lang"]),
        ("[pause=1s] Hi.", ["write [pause 0.5s]"]),
        ("Hi [voice=bob] there.", ["stands inside of a line"]),
        ("Hi [pause=1s] there.", ["write [pause 0.5s]"]),
        ("Hi [pause 99s] there.", ["too long"]),
        ("[lang=xx] Hi.", ["not one of en, zh"]),
        ("[speed=fast] Hi.", ["not a number"]),
        ("[ref=no.wav] Hi.", ["no such file"]),
        ("[ref=../secret.wav] Hi.", ["leaves the folder"]),
        ("[ref=sub/../../secret.wav] Hi.", ["leaves the folder"]),
        ("[ref=..\\secret.wav] Hi.", ["leaves the folder"]),
        ("[ref=/etc/passwd] Hi.", ["leaves the folder"]),
        ("[ref=C:\\x.wav] Hi.", ["leaves the folder"]),
        ("[ref=link.wav] Hi.", ["leaves the folder"]),
        ("[ref=folder] Hi.", ["no such file"]),
        (f"[ref={'x' * 400}.wav] Hi.", ["no such file"]),
    ],
)
def test_wrong_marks_are_refused(tmp_path: Path, line: str, words: list[str]) -> None:
    home = tmp_path / "book"
    (home / "folder").mkdir(parents=True)
    (tmp_path / "secret.wav").write_bytes(b"x")
    os.symlink(tmp_path / "secret.wav", home / "link.wav")
    refused(home, "a.txt", f"One.\n{line}\n", "line 2", *words)


def test_voices_of_a_script_are_checked_where_they_are_known(tmp_path: Path) -> None:
    for text in ("One.\n[voice=zed] Two.\n", "One.\n[voice=zed]\nTwo.\n"):
        with pytest.raises(UserError, match=r"line 2: unknown voice 'zed' \(known: ann, bob\)"):
            read(tmp_path, "a.txt", text, voices=["bob", "ann"])


@pytest.mark.parametrize(
    ("cast", "words"),
    [
        ("ANN: zed\n", ["line 1: ANN: unknown voice 'zed'", "known: ann, bob"]),
        ("narrator: bob\nANN:\n  voice: zed\n", ["line 2", "unknown voice 'zed'"]),
        ("ANN: ann\nann: bob\n", ["line 2", "given in line 1 already"]),
        ("{ANN: ann, ann: bob}\n", ["given in line 1 already"]),
        ("ANN:\n", ["voice is not one value"]),
        ("ANN: [ann]\n", ["voice is not one value"]),
        ("ANN:\n  voice: ann\n  volume: 3\n", ["'volume' is unknown"]),
        ("ANN:\n  ? [a]\n  : 3\n", ["is unknown"]),
        ("ANN:\n  speed: 9\n", ["speed = '9'", "0.4 to 3"]),
        ("ANN:\n  ref: no.wav\n", ["no such file"]),
        ("ANN:\n  ref: ../x.wav\n", ["leaves the folder"]),
        ("- ANN\n", ["not a cast"]),
        ("", ["not a cast"]),
        ("ANN: [\n", ["not YAML"]),
        ('"A:B": ann\n', ["not a name"]),
        ("a: &x [*x]\n", ["not one value"]),
    ],
)
def test_a_bad_cast_is_refused(tmp_path: Path, cast: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        cast_of(tmp_path, cast, ["bob", "ann"])
    for word in ("cast.yaml", *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_cast_and_a_reference_of_a_cast(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such cast"):
        from pipeline.scripts import read_cast

        read_cast(tmp_path / "no.yaml")
    (tmp_path / "a.wav").write_bytes(b"x")
    cast = cast_of(tmp_path, "ANN:\n  voice: ann\n  ref: a.wav\n  ref_text: Hi\n")
    line = read(tmp_path, "b.txt", "[voice=bob][lang=en]\nANN: Yes.\n", cast).lines[0]
    assert (line.voice, line.ref, line.ref_text, line.lang) == ("ann", str(tmp_path / "a.wav"), "Hi", "en")
