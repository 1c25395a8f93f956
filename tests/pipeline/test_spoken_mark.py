"""The spoken mark: in front of every file, in the book's language, and no line of the book."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from pipeline_fakes import FakeGate, FakeVoice, load_fake

from pipeline.engine import SayOptions
from pipeline.narration import BookOptions, NarrationReport, read_manifest, run_narration
from pipeline.narration.spoken_mark import SENTENCES, language_of
from voice.transcripts.subtitles import read_subtitles

BOOK = "# One\n\nThe first sentence is here.\n\n# Two\n\nThe last words of all.\n"
REST = 0.5  # seconds between mark and speech


def go(
    root: Path, mark: str, text: str = BOOK, name: str = "book.md", load: Any = load_fake, **more: Any
) -> NarrationReport:
    (root / name).write_text(text, encoding="utf-8")
    book = BookOptions(formats=("wav", "m4b"), mark=mark, chapters=name == "book.md")
    return run_narration(root, root / name, "ann", root / "out", SayOptions(), load, book=book, **more)


def starts(path: Path) -> list[float]:
    return [float(str(row.start)) for row in read_subtitles(path.read_text(), path)]  # type: ignore[union-attr]


def test_it_is_heard_first_and_moves_cues_but_no_line_and_no_count(tmp_path: Path) -> None:
    plain = go(tmp_path, "none")
    rows, cues = read_manifest(tmp_path / "out"), starts(tmp_path / "out/book.srt")
    speech, rate = soundfile.read(tmp_path / "out/book.wav", dtype="int16")
    part, _ = soundfile.read(tmp_path / "out/chapters/002-Two.wav", dtype="int16")
    voice = FakeVoice()
    report = go(tmp_path, "spoken", load=lambda root, name: voice)
    assert (report.lines, report.rendered, report.cached) == (plain.lines, 0, plain.lines)
    assert voice.said == [SENTENCES["en"]]
    assert read_manifest(tmp_path / "out") == rows
    mark = round(len(SENTENCES["en"]) * 0.01 * rate)
    lead = mark + round(REST * rate)
    for name, was in (("book", speech), ("chapters/002-Two", part)):
        marked, _ = soundfile.read(tmp_path / f"out/{name}.wav", dtype="int16")
        assert len(marked) == lead + len(was)
        np.testing.assert_array_equal(marked[lead:], was)
        assert np.abs(marked[:mark]).max() > 5000 and not marked[mark:lead].any()
    assert starts(tmp_path / "out/book.srt") == pytest.approx([at + lead / rate for at in cues], abs=0.002)
    facts = json.loads((tmp_path / "out/book.wav.json").read_text())
    assert (facts["mark"], facts["mark_text"]) == ("spoken", SENTENCES["en"])
    again = FakeVoice()
    before = (tmp_path / "out/book.m4b").read_bytes()
    go(tmp_path, "spoken", load=lambda root, name: again)
    assert again.said == [] and (tmp_path / "out/book.m4b").read_bytes() == before


def test_the_first_lines_voice_says_it_in_the_language_of_the_book(tmp_path: Path) -> None:
    said: list[tuple[str, str, Any]] = []

    class Actor(FakeVoice):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def say(self, text: str, **options: Any) -> Any:
            said.append((self.name, text, options["lang"]))
            return super().say(text, **options)

    go(
        tmp_path,
        "spoken",
        "[voice=bob]\n今天天气很好，Bob 说。\n\n我们走吧。\n",
        "book.txt",
        lambda root, name: Actor(name),
    )
    assert said[-1] == ("bob", SENTENCES["zh"], "zh")


def test_before_dubbing_it_would_be_in_the_way(tmp_path: Path) -> None:
    cue = "1\n00:00:02,000 --> 00:00:05,000\nFits as it is.\n"
    go(tmp_path, "none", cue, "film.srt")
    plain, _ = soundfile.read(tmp_path / "out/film.wav", dtype="int16")
    go(tmp_path, "spoken", cue, "film.srt")
    marked, rate = soundfile.read(tmp_path / "out/film.wav", dtype="int16")
    np.testing.assert_array_equal(marked[: len(plain)], plain)
    assert len(marked) - len(plain) == round(len(SENTENCES["en"]) * 0.01 * rate) + round(REST * rate)


def test_a_mark_that_fails_the_gate_is_told_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        report = go(tmp_path, "spoken", gate=FakeGate(1.1))
        assert [each.split(":")[0] for each in report.warnings] == ["the spoken mark"]
    assert go(tmp_path, "spoken", gate=FakeGate(0.0, version=2)).warnings == []


@pytest.mark.parametrize(
    ("texts", "lang"),
    [
        (["Hello there, 世界."], "en"),
        (["今天天气很好。", "OK"], "zh"),
        (["今日は天気がいいです。"], "ja"),
        (["오늘은 날씨가 좋다."], "ko"),
        (["1, 2, 3"], "en"),
        ([], "en"),
    ],
)
def test_languages(texts: list[str], lang: str) -> None:
    assert language_of(texts) == lang


@given(st.lists(st.text()))
def test_every_text_has_a_sentence(texts: list[str]) -> None:
    assert language_of(texts) in SENTENCES
