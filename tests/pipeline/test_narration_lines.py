"""Each line's own voice, clip, speed and seed reach the engine; the gate; disks that are full."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_fakes import Beep, FakeGate, FakeVoice

from pipeline.engine import SayOptions, line_seed
from pipeline.narration import BookOptions, LineStore, Narration, NarrationReport, read_manifest, run_narration
from pipeline.narration.estimate import changed
from voice.errors import UserError

Call = tuple[str, str, dict[str, Any]]


class Studio:
    """A loader whose voices write down what they are asked for."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.loaded: list[str] = []

    def __call__(self, root: Path, name: str) -> FakeVoice:
        self.loaded.append(name)
        calls = self.calls

        class Actor(FakeVoice):
            sample_rate = 32000 if name == "bob" else 24000

            def say(self, text: str, **options: Any) -> Beep:
                calls.append((name, text, options))
                return super().say(text, **{key: value for key, value in options.items() if key != "ref"})

        return Actor(name)


def go(root: Path, text: str, load: Any, name: str = "book.md", **more: Any) -> NarrationReport:
    (root / name).write_text(text, encoding="utf-8")
    return run_narration(root, root / name, "ann", root / "out", SayOptions(), load, **more)


def tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_what_a_line_says_of_itself_reaches_the_engine(tmp_path: Path) -> None:
    (tmp_path / "calm.wav").write_bytes(b"calm")
    rows = [
        {"text": "Plain words."},
        {"text": "Quick words.", "speed": 1.25},
        {"text": "Bob's words.", "voice": "bob", "seed": 7, "lang": "en"},
        {"text": "Calm words.", "ref": "calm.wav", "ref_text": "So calm."},
    ]
    studio = Studio()
    report = go(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), studio, "book.jsonl")
    assert (report.rendered, report.failed) == (4, 0)
    assert sorted(studio.loaded) == ["ann", "bob"]
    by_text = {text: (voice, options) for voice, text, options in studio.calls}
    assert by_text["Quick words."][1]["length_scale"] == pytest.approx(0.8)
    assert by_text["Plain words."][1]["length_scale"] is None
    voice, options = by_text["Bob's words."]
    assert (voice, options["seed"], options["lang"], options["rate"]) == ("bob", 7, "en", 24000)
    assert by_text["Calm words."][1]["ref_text"] == "So calm."
    assert by_text["Calm words."][1]["ref"] == tmp_path / "calm.wav"
    found = read_manifest(tmp_path / "out")
    assert [row["voice"] for row in found] == ["ann", "ann", "bob", "ann"]
    assert [row["seed"] for row in found] == [line_seed(row["key"]) if n != 2 else 7 for n, row in enumerate(found)]
    facts = json.loads((tmp_path / "out/book.flac.json").read_text())
    assert facts["voice"] == "ann, bob" and set(facts["weights"]) == {"ann", "bob"}


def test_another_clip_of_the_same_name_renders_its_lines_and_no_others(tmp_path: Path) -> None:
    text = '{"text": "Plain."}\n{"text": "Calm.", "ref": "calm.wav"}\n'
    (tmp_path / "calm.wav").write_bytes(b"calm")
    go(tmp_path, text, Studio(), "book.jsonl")
    (tmp_path / "calm.wav").write_bytes(b"angry")
    report = go(tmp_path, text, Studio(), "book.jsonl")
    assert (report.rendered, report.cached, report.rendered_lines) == (1, 1, [2])


def test_a_cast_gives_speakers_their_voices(tmp_path: Path) -> None:
    (tmp_path / "cast.yaml").write_text("BOB: bob\n")
    studio = Studio()
    go(tmp_path, "Then he spoke.\n\nBOB: Hello there.\n", studio, book=BookOptions(cast=tmp_path / "cast.yaml"))
    assert [(voice, text) for voice, text, _ in studio.calls] == [("ann", "Then he spoke."), ("bob", "Hello there.")]


def test_a_speed_that_no_voice_takes_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "book.jsonl").write_text('{"text": "Fine."}\n{"text": "Slow.", "speed": 0.4}\n')
    with pytest.raises(UserError, match=r"book.jsonl, line 2: length_scale 5: out of range"):
        Narration(tmp_path, tmp_path / "book.jsonl", "ann", tmp_path / "out", SayOptions(length_scale=2), Studio())


def test_lines_moved_between_chapters_render_nothing(tmp_path: Path) -> None:
    lines = [f"Sentence {number} is here." for number in range(12)]

    def book(parts: list[list[str]]) -> str:
        return "".join(f"# Part {n}\n\n" + "\n\n".join(part) + "\n\n" for n, part in enumerate(parts, start=1))

    assert go(tmp_path, book([lines[:6], lines[6:]]), Studio()).rendered == 14
    mixed = random.Random(1).sample(lines, 12)
    report = go(tmp_path, book([mixed[:3], mixed[3:]]), Studio())
    assert (report.rendered, report.cached, report.removed) == (0, 14, 0)


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 11))
def test_an_edited_line_counts_as_changed_and_a_moved_one_does_not(numbers: list[int], place: int) -> None:
    keys = [f"k{number}" for number in dict.fromkeys(numbers)]
    assert changed(keys, keys[::-1], set()) == 0
    if keys:
        place %= len(keys)
        edited = [*keys[:place], "new", *keys[place + 1 :]]
        assert changed(keys, edited, {"new"}) == 1
        assert changed(keys, [*keys, "new"], {"new"}) == 0
        assert changed(keys, keys[:-1], set()) == 0


def test_the_gate_asks_again_with_new_seeds_and_keeps_the_first_good_attempt(tmp_path: Path) -> None:
    text = "".join(f"Sentence number {number}.\n" for number in range(20))
    gate = FakeGate()
    report = go(tmp_path, text, Studio(), "book.txt", gate=gate)
    rows = read_manifest(tmp_path / "out")
    assert report.failed == sum(not row["ok"] for row in rows) == len(report.doubtful)
    assert report.ok and report.assembled
    assert {row["attempts"] for row in rows} == {1, 2, 3}
    for row in rows:
        facts = LineStore(tmp_path / ".cache/items/narrate").get(row["key"])
        assert facts is not None
        tried = facts["attempts"]
        assert [one["seed"] for one in tried] == [line_seed(row["key"], n) for n in range(len(tried))]
        assert [one["ok"] for one in tried[:-1]] == [False] * (len(tried) - 1)
        best = min(tried, key=lambda one: (not one["ok"], len(one["reasons"])))
        assert (facts["seed"], facts["ok"]) == (best["seed"], best["ok"])
    assert all(0.5 < seconds < 5 for _, seconds in gate.heard)
    again = FakeGate()
    report = go(tmp_path, text, Studio(), "book.txt", gate=again)
    assert (report.rendered, again.heard) == (0, [])


def test_lines_that_no_gate_has_heard_are_judged_and_end_the_same(tmp_path: Path) -> None:
    text = "".join(f"Sentence number {number}.\n" for number in range(12))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    go(tmp_path / "a", text, Studio(), "book.txt")
    late = go(tmp_path / "a", text, Studio(), "book.txt", gate=FakeGate())
    assert 0 < late.rendered < 12
    go(tmp_path / "b", text, Studio(), "book.txt", gate=FakeGate())
    assert tree(tmp_path / "a/out") == tree(tmp_path / "b/out")
    version = FakeGate(share=0.0, version=2)
    report = go(tmp_path / "a", text, Studio(), "book.txt", gate=version)
    assert report.failed == 0  # a new version judges anew, and takes the first attempts again


def test_strict_makes_no_book_while_a_line_fails_and_keeps_the_lines(tmp_path: Path) -> None:
    text = "Good words.\nHOPELESS words.\nMore words.\n"
    report = go(tmp_path, text, Studio(), "book.txt", gate=FakeGate(0.0), book=BookOptions(strict=True))
    assert (report.lines, report.rendered, report.failed, report.assembled, report.ok) == (3, 2, 1, False, False)
    assert "book.txt, line 2: " in report.doubtful[0]
    assert "HOPELESS words." in (tmp_path / "out/review.html").read_text()
    assert not (tmp_path / "out/book.flac").exists()
    assert len(list((tmp_path / "out/lines").glob("*.flac"))) == 3
    mended = go(tmp_path, text.replace("HOPELESS", "Hopeful"), Studio(), "book.txt", gate=FakeGate(0.0))
    assert (mended.rendered, mended.failed, mended.assembled) == (1, 0, True)
    assert (tmp_path / "out/book.flac").exists()


def test_without_strict_the_best_attempt_is_in_the_book_and_told(tmp_path: Path) -> None:
    report = go(tmp_path, "HOPELESS words.\nMore words.\n", Studio(), "book.txt", gate=FakeGate(0.0))
    assert (report.failed, report.ok, report.assembled, len(report.doubtful)) == (1, True, True, 1)
    assert report.to_dict()["counts"] == {"lines": 2, "rendered": 1, "cached": 0, "removed": 0, "failed": 1}
    assert list(report.to_dict())[-1] == "counts"


@pytest.mark.parametrize("where", ["line", "book", "facts"])
def test_a_full_disk_is_one_clear_line_and_nothing_finished_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    text = "".join(f"Sentence number {number}.\n" for number in range(6))
    from voice.mastering import encode

    real, count = encode._encode, [0]

    def full(file: Any, blocks: Any, job: Any) -> None:
        real(file, blocks, job)
        count[0] += 1
        if count[0] == (4 if where == "line" else 7):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if where == "facts":
        import pipeline.narration.store as store

        write = store.write_json

        def no_facts(path: Path, value: Any) -> None:
            count[0] += 1
            if count[0] == 4:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(path, value)

        monkeypatch.setattr(store, "write_json", no_facts)
    else:
        monkeypatch.setattr(encode, "_encode", full)
    with pytest.raises(UserError, match=r"no space left \(finished lines are kept; mend it and run again\)"):
        go(tmp_path, text, Studio(), "book.txt")
    assert not (tmp_path / "out/book.flac").exists()
    monkeypatch.undo()
    report = go(tmp_path, text, Studio(), "book.txt")
    assert (report.rendered, report.cached) == ((0, 6) if where == "book" else (3, 3))
    assert not [path for path in tmp_path.rglob(".*") if path.is_file() and path.name != ".gitignore"]


def test_the_plan_tells_time_and_minutes_from_lines_of_any_script(tmp_path: Path) -> None:
    go(tmp_path, "Some words are here.\n", Studio(), "other.txt")
    (tmp_path / "book.txt").write_text("x" * 600 + "\n" + "y" * 600 + "\n")
    job = Narration(tmp_path, tmp_path / "book.txt", "ann", tmp_path / "new", SayOptions(), Studio())
    plan = job.plan()
    assert (plan.to_render, plan.cached, plan.changed, plan.removed) == (2, 0, 0, 0)
    assert plan.minutes == pytest.approx(1200 * 0.01 / 60, abs=0.06)
    assert plan.estimate is not None and plan.eta is not None and "T" in plan.eta


def test_a_gate_may_be_made_for_each_voice_and_a_runaway_always_fails(tmp_path: Path) -> None:
    bound: list[str] = []

    class PerVoice(FakeGate):
        def for_voice(self, name: str, engine: Any) -> FakeGate:
            bound.append(name)
            return FakeGate(0.0)

    def load(root: Path, name: str) -> FakeVoice:
        class Endless(FakeVoice):
            def say(self, text: str, **options: Any) -> Beep:
                beep = super().say(text, **options)
                beep.stop = "max_steps" if "on and on" in text else "eos"
                return beep

        return Endless(name)

    report = go(tmp_path, "[voice=bob] Fine.\nIt goes on and on.\nFine too.\n", load, "book.txt", gate=PerVoice())
    assert sorted(bound) == ["ann", "bob"]
    assert report.doubtful == [f"{tmp_path / 'book.txt'}, line 2: did not end by itself"]
