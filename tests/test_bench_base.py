"""The measuring script for bases: its sentences, what it makes of a recogniser's words, and its table."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.params import load_params
from voice.errors import UserError
from voice.text.cantonese import simplified

DOCS = Path(__file__).resolve().parents[1] / "docs"
sys.path.insert(0, str(DOCS))

import bench_base  # noqa: E402
import bench_base_judge as judging  # noqa: E402
import bench_base_speak as speaking  # noqa: E402
import bench_base_texts as texts  # noqa: E402
from bench_base_words import Faults, changes, edits, faults, words  # noqa: E402

LINES = st.lists(st.sampled_from("a b c d".split()), max_size=9)
DISTINCT = st.lists(st.sampled_from("abcdefghijklm"), min_size=3, max_size=12, unique=True)


@pytest.mark.parametrize(("lang", "least", "most"), [("en", 5, 20), ("zh", 8, 30)])
def test_sentences_are_forty_of_the_right_length(lang: str, least: int, most: int) -> None:
    found = texts.sentences(lang)
    assert len(set(found)) == len(found) == 40
    assert texts.sentences(lang, 2) == found[:2]
    for sentence in found:
        assert least <= len(texts.plain(sentence)) <= most, sentence
        assert not any(c.isdigit() for c in sentence), sentence
        assert simplified(sentence) == sentence


def test_sentences_are_none_that_served_before() -> None:
    params = load_params(DOCS.parent)
    used = [text for part in (params.evaluate.texts, params.synthesize.texts) for text in [*part.en, *part.zh]]
    corpus = texts.joined(used)
    assert [s for lang in texts.LANGUAGES for s in texts.sentences(lang) if texts.known(s, corpus)] == []


@given(st.data())
def test_a_sentence_is_known_by_three_fifths_of_its_words(data: st.DataObject) -> None:
    own = data.draw(st.lists(st.sampled_from("abcdefghij"), min_size=5, max_size=10, unique=True))
    run = data.draw(st.integers(1, len(own)))
    start = data.draw(st.integers(0, len(own) - run))
    corpus = texts.joined(["x Y, z", f"q {' '.join(own[start : start + run]).upper()}! r"])
    assert bool(texts.known(" ".join(own), corpus)) == (run >= max(4, 0.6 * len(own)))


def test_a_run_over_two_texts_or_within_a_word_is_unknown() -> None:
    assert texts.known("one two three four", texts.joined(["one two", "three four"])) == ""
    assert texts.known("one two three four", texts.joined(["someone two three four"])) == ""


def test_corpus_is_read_from_manifests_and_transcripts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no \\*/manifest"):
        list(texts.corpus_texts(tmp_path))
    (tmp_path / "a").mkdir()
    (tmp_path / "a/manifest.jsonl").write_text(json.dumps({"text": "GOOD DAY"}) + "\n")
    (tmp_path / "a/transcript.txt").write_text("Guten Tag\n")
    assert list(texts.corpus_texts(tmp_path)) == ["GOOD DAY", "Guten Tag"]
    assert texts.check([tmp_path]) == 80
    (tmp_path / "a/transcript.txt").write_text(f"{texts.sentences('zh')[3]}\n")
    with pytest.raises(UserError, match="is in a training text"):
        texts.check([tmp_path])


@pytest.mark.parametrize(
    ("text", "lang", "said"),
    [
        ("There are 45, or 1,102!", "en", "there are forty five or one thousand one hundred two"),
        ("One hundred and two forty-five", "en", "one hundred two forty five"),
        ("Don\u2019t", "en", "don't"),
        ("我有45个。", "zh", "wo you si shi wu ge"),
        ("因為", "zh", "yin wei"),
    ],
)
def test_words_are_written_out(text: str, lang: str, said: str) -> None:
    assert words(text, lang) == said.split()


@given(LINES, LINES)
def test_changes_lead_from_said_to_heard_with_least_edits(said: list[str], heard: list[str]) -> None:
    found = changes(said, heard)
    assert sum(max(b - a, d - c) for (a, b), (c, d) in [(one.said, one.heard) for one in found]) == edits(said, heard)
    made, at = [], 0
    for one in found:
        made += said[at : one.said[0]] + heard[slice(*one.heard)]
        at = one.said[1]
    assert made + said[at:] == heard


@given(LINES, LINES, LINES)
def test_edits_are_a_distance(one: list[str], two: list[str], three: list[str]) -> None:
    assert edits(one, two) == edits(two, one) <= max(len(one), len(two))
    assert (edits(one, two) == 0) == (one == two)
    assert edits(one, three) <= edits(one, two) + edits(two, three)


@given(DISTINCT, st.data())
def test_one_word_left_out_is_found(said: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(said) - 1))
    assert faults(said, said[:at] + said[at + 1 :]) == Faults(skipped=(said[at],))
    assert not faults(said, said)


@given(DISTINCT, st.data())
def test_words_said_twice_are_found(said: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(said) - 1))
    stop = data.draw(st.integers(start + 1, min(len(said), start + 4)))
    assert faults(said, said[:stop] + said[start:]) == Faults(repeated=(" ".join(said[start:stop]),))


@pytest.mark.parametrize(
    ("said", "heard"),
    [("every day now", "everyday now"), ("a b c", "a x c"), ("a b c", "a x b c"), ("a a b", "a a b"), ("a b", "a c d")],
)
def test_other_errors_are_neither(said: str, heard: str) -> None:
    assert not faults(said.split(), heard.split())


def test_what_was_cut_off_is_not_missing() -> None:
    said, heard = "one two three four five".split(), "one three fo".split()
    assert faults(said, heard, cut=True) == Faults(skipped=("two",))
    assert faults(said, heard).skipped == ("two", "four five")


def test_clips_are_named_by_all_that_decides_their_sound() -> None:
    def names(digest: str, seeds: int = 2) -> list[str]:
        spoken = {"en": ["one", "two"], "zh": ["one"]}
        return [clip.path.name for clip in speaking.clips(digest, Path("out"), spoken, seeds)]

    assert len({*names("a"), *names("b")}) == 12
    assert set(names("a", 1)) < set(names("a"))
    assert speaking.languages("zh", ["native"]) == ["zh"]
    assert speaking.languages("zh", ["other"]) == ["en"]
    assert speaking.languages("en", ["native", "other"]) == ["en", "zh"]


def row(wav: str = "a.flac", text: str = "one two three", lang: str = "en") -> dict[str, Any]:
    return {"wav": wav, "text": text, "lang": lang, "ref": "r", "speaker": "s", "seed": 1, "way": "few"}


def test_verdict_is_read_from_both_outputs() -> None:
    out, err = 'loaded\n{"error": 0.5}\n', "a warning\n0.5  one two\n1.0 \n"
    assert judging.read_verdict(out, err, 2) == ({"error": 0.5}, [" one two", ""])
    with pytest.raises(UserError, match="2 of 3 clips"):
        judging.read_verdict(out, err, 3)
    with pytest.raises(UserError, match="no JSON"):
        judging.read_verdict("", err, 2)
    with pytest.raises(UserError, match="1 rows for 2 clips"):
        judging.read_second('{"wav": "a.flac", "heard": "x"}', [row(), row("b.flac")])


def test_flagged_sentences_say_what_was_heard() -> None:
    rows = [row(), row("b.flac"), row("c.flac", "你好你好吗", "zh")]
    found = judging.flagged(rows, [" One two three.", " One three.", "你好你好吗"])
    assert [(one["wav"], one["heard"], one["skipped"]) for one in found] == [("b.flac", "One three.", ("two",))]
    assert judging.fault_lines(found) == ["- s few en seed 1: skipped two. Text: one two three Heard: One three."]
    assert judging.flagged([row()], [" one two" + " " * 92]) == []  # the judge showed no more than this
    assert judging.word_error(rows[:2], ["one two three", "one three"]) == 1 / 6


def test_summary_takes_medians_and_the_floor_of_the_same_speaker() -> None:
    def one(error: float, second: float | None = None) -> judging.Verdict:
        return judging.Verdict(40, error, 0.4, 0.8, 3.0, second, 0.1)

    verdicts = {("s", "few", "en", n): one(error) for n, error in enumerate([0.1, 0.2, 0.9])}
    verdicts |= {("s", "few", "zh", 0): one(0.5), ("s", "real", "en", 0): one(0.05), ("t", "real", "zh", 0): one(0.0)}
    few, other, real, _ = judging.summary(verdicts)
    assert (few["error"], few["seeds"], few["share"]) == (0.2, 3, 0.5)
    assert few["above_real"] == pytest.approx(0.15)
    assert other["above_real"] is None and real["above_real"] is None and few["second"] is None
    for second in (None, "moonshine"):
        lines = judging.table([few, other], second).splitlines()
        assert len({line.count("|") for line in lines}) == 1
        assert ("moonshine" in lines[0]) == bool(second)
    assert "| 20.0 % | +15.0 | 0.400 (0.800) | 50.0 % | 3.00 | 10.0 % |" in judging.table([few])


def test_a_group_is_judged_once(tmp_path: Path) -> None:
    script = tmp_path / "judge.py"
    script.write_text("import pathlib, sys\nwith open(pathlib.Path(__file__).with_name('n'), 'a') as f: f.write('x')\n")
    command = f"{sys.executable} {script}"
    for rows in ([row()], [row()], [row("b.flac")]):
        judging.call(command, rows, tmp_path / "judged")
    assert (tmp_path / "n").read_text() == "xx"
    script.write_text("raise SystemExit('broken')")
    with pytest.raises(UserError, match="status 1 .*broken"):
        judging.call(command, [row()], tmp_path / "judged")
    with pytest.raises(UserError, match="no-such-judge"):
        judging.call("no-such-judge", [row()], tmp_path / "judged")


def test_names_on_the_command_line() -> None:
    assert bench_base.named("moonshine=python a=b.py") == ("moonshine", "python a=b.py")
    for wrong in ("moonshine", "=x", "x="):
        with pytest.raises(argparse.ArgumentTypeError):
            bench_base.named(wrong)
