"""Stage align with the mini base's own ear over real speech: what is right, what is wrong, and what a reviewer says."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages import align, ingest, pretrained
from stages import slice as slicing
from tests.stages.conftest import ROOT, Project
from voice.contracts import Aligned, Rejected, Segments, Words
from voice.edits import append_edit, make_edit
from voice.tables import read_table, rows_of
from voice.transcript import read_transcript

HERE = Path("data/demo_en")
STRICT = ("min_score", "min_contrast", "min_weakest", "max_unexplained", "min_coverage")


@pytest.fixture(scope="session")
def sliced(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the trained aligner whose demo_en is cut into segments; made once."""
    root = tmp_path_factory.mktemp("sliced") / "project"
    shutil.copytree(template, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        made = Project(root, patch)
        made.consent()
        for stage in (pretrained, ingest, slicing):
            made.stage(stage.main, None if stage is pretrained else "demo_en")
    shutil.copy(ROOT / "models/base/mini/content.safetensors", root / "models/pretrained/mini/aligner.safetensors")
    return root


@pytest.fixture
def ready(sliced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copytree(sliced, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    # What was heard once need not be heard again: the items are content-addressed, so all tests share them.
    (tmp_path / ".cache/items").mkdir(parents=True, exist_ok=True)
    (tmp_path / ".cache/items/align-heard").symlink_to(_shared(sliced), target_is_directory=True)
    return Project(tmp_path, monkeypatch)


def _shared(sliced: Path) -> Path:
    folder = sliced.parent / "heard"
    folder.mkdir(exist_ok=True)
    return folder


def lines_of(project: Project) -> list[str]:
    return read_transcript(project.raw / "transcript.txt")


def write(project: Project, lines: list[str]) -> None:
    (project.raw / "transcript.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def good() -> list[dict[str, Any]]:
    return rows_of(read_table(HERE / "aligned.jsonl", Aligned))


def bad() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows_of(read_table(HERE / "aligned.rejected.jsonl", Rejected))}


def coverage() -> dict[str, Any]:
    return json.loads((HERE / "coverage.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def loose(project: Project) -> None:
    """However little is left, look at it."""
    project.edit(lambda params: params["align"].update(min_coverage=0.0))


def test_every_word_is_found_and_timed_inside_its_segment(ready: Project) -> None:
    ready.stage(align.main)
    rows = good()
    assert bad() == {} and letters("".join(r["text"] for r in rows)) == letters("".join(lines_of(ready)))
    assert coverage()["coverage"] == 1.0 and coverage()["unspoken"] == []
    spans = {row["id"]: row for row in rows_of(read_table(HERE / "segments.jsonl", Segments))}
    words = rows_of(read_table(HERE / "words.jsonl", Words))
    assert [w["text"] for w in words] == " ".join(row["text"] for row in rows).split()
    for word in words:
        span = spans[word["segment"]]
        assert span["start"] <= word["start"] < word["end"] <= span["end"]
    assert all(b["start"] >= a["end"] - 1e-6 for a, b in zip(words, words[1:], strict=False))
    assert {row["draft"] for row in rows} == {False} and {row["lang"] for row in rows} == {"en"}


def test_shuffled_lines_are_set_aside(ready: Project) -> None:
    ready.stage(align.main)
    true = {row["id"]: row["text"] for row in good()}
    loose(ready)
    lines = lines_of(ready)
    wrong = kept = 0
    for seed in range(3):
        order = lines.copy()
        random.Random(seed).shuffle(order)
        write(ready, order)
        try:
            ready.stage(align.main)
        except SystemExit:
            wrong += len(true)
            continue
        for row in good():
            wrong += row["text"] != true[row["id"]]
            kept += row["text"] != true[row["id"]]
        wrong += len(bad())
    assert wrong >= 8 and kept <= 1


def test_the_transcript_of_another_recording_stops_the_stage_and_lists_all(
    ready: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write(ready, ["Green ideas sleep furiously in the attic above.", "Nobody asked the captain about his hat."] * 3)
    line = ready.refused(align.main, capsys)
    assert "of its words lie in 0 good segments" in line and "check that the transcript is what is spoken" in line
    assert len(bad()) == len(read_table(HERE / "segments.jsonl", Segments))
    assert coverage()["words"]["aligned"] == 0


def test_a_line_that_nobody_said_is_listed_and_its_neighbours_stay(ready: Project) -> None:
    lines = lines_of(ready)
    write(ready, [*lines[:3], "Green ideas sleep furiously in the attic above the shop.", *lines[3:]])
    ready.stage(align.main)
    assert letters("".join(r["text"] for r in good())) == letters("".join(lines)) and bad() == {}
    (lost,) = coverage()["unspoken"]
    assert lost["where"] == "transcript.txt: line 4" and lost["text"].startswith("Green ideas sleep")


def test_speech_that_is_not_in_the_transcript_is_listed(ready: Project) -> None:
    lines = lines_of(ready)
    write(ready, [*lines[:3], *lines[4:]])
    ready.stage(align.main)
    assert {row["reason"] for row in bad().values()} == {"no_words"}
    assert [part["segment"] for part in coverage()["untranscribed"]] == list(bad())
    assert letters("".join(r["text"] for r in good())) == letters("".join([*lines[:3], *lines[4:]]))


def test_a_reviewer_rejects_corrects_and_accepts(ready: Project) -> None:
    ready.stage(align.main)
    rows = good()
    edits = ready.raw / "edits.jsonl"

    def decide(row: dict[str, Any], **change: object) -> None:
        span = {key: row[key] for key in ("recording", "start", "end")}
        append_edit(edits, make_edit(who="Ana", when="2026-01-31T12:00:00", why="heard it", **span, **change))

    decide(rows[0], action="reject")
    decide(rows[1], action="text", text=rows[1]["text"] + " Indeed.")
    ready.stage(align.main)
    assert bad()[rows[0]["id"]]["reason"] == "reviewer" and "Ana" in bad()[rows[0]["id"]]["detail"]
    changed = next(row for row in good() + list(bad().values()) if row["id"] == rows[1]["id"])
    assert changed["text"].endswith("Indeed.")
    assert coverage()["edits"]["applied"] == 2
    decide(rows[1], action="text", text="Nobody asked the captain about his hat.")
    ready.stage(align.main)
    assert rows[1]["id"] in bad()
    decide(rows[1], action="accept")
    ready.stage(align.main)
    accepted = next(row for row in good() if row["id"] == rows[1]["id"])
    assert accepted["text"].startswith("Nobody") and accepted["edited"]


def test_an_edit_of_a_segment_that_is_cut_otherwise_now_is_told(
    ready: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    span = {"recording": "recording", "start": 1.0, "end": 3.31}
    edit = make_edit(action="accept", who="Ana", when="2026-01-31T12:00:00", why="fine", **span)
    append_edit(ready.raw / "edits.jsonl", edit)
    ready.stage(align.main)
    assert "fits no segment and was not applied" in capsys.readouterr().out
    assert len(coverage()["edits"]["stale"]) == 1


def test_one_changed_line_aligns_one_stretch_and_hears_nothing_again(
    ready: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.stage(align.main)
    ready.stage(align.main)
    assert "0 segments heard, 0 stretches of text aligned, 1 from" in capsys.readouterr().out
    lines = lines_of(ready)
    write(ready, [lines[0].replace("quiet", "silent"), *lines[1:]])
    ready.stage(align.main)
    assert "0 segments heard, 1 stretches of text aligned" in capsys.readouterr().out


def test_a_row_less_elsewhere_in_the_transcript_aligns_nothing_again(
    ready: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    words = " ".join(lines_of(ready))
    (ready.raw / "transcript.txt").write_text("")
    for rows in (["missing.wav,Hello there.", "other.wav,Good bye."], ["other.wav,Good bye."]):
        text = "\n".join(["file,text", *rows, f'recording.flac,"{words}"', ""])
        (ready.raw / "transcript.csv").write_text(text, encoding="utf-8")
        ready.stage(align.main)
    assert "0 segments heard, 0 stretches of text aligned, 1 from" in capsys.readouterr().out.splitlines()[-2]


def test_a_correction_moves_no_segment_between_the_splits(ready: Project) -> None:
    ready.stage(align.main)
    before = {row["id"]: row["split"] for row in good()}
    lines = lines_of(ready)
    write(ready, [lines[0].replace("The harbour", "The old harbour"), *lines[1:]])
    ready.stage(align.main)
    assert {row["id"]: row["split"] for row in good()} == before


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("transcript.csv", 'file,text\nrecording.flac,"{all}"\nmissing.wav,Hello there.\n', "unknown_recording"),
        ("transcript.list", "recording.flac|me|EN|{all}\n../x.wav|me|EN|Hello.\n", "path_escape"),
        (
            "transcript.jsonl",
            '{{"file": "recording.flac", "text": "{all}"}}\n{{"file": "recording.flac"}}\n',
            "no_text",
        ),
    ],
)
def test_other_transcripts_give_the_same_words_and_their_faults_are_told(
    ready: Project, name: str, text: str, reason: str
) -> None:
    ready.stage(align.main)
    expected = [row["text"] for row in good()]
    lines = lines_of(ready)
    (ready.raw / name).write_text(text.format(all=" ".join(lines)), encoding="utf-8")
    (ready.raw / "transcript.txt").write_text("")
    ready.stage(align.main)
    assert [row["text"] for row in good()] == expected
    assert reason in {fault["reason"] for fault in coverage()["faults"]}


def test_without_a_transcript_words_are_recognised_and_marked_draft(
    ready: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.stage(align.main)
    expected = {row["id"]: row["text"] for row in good()}
    (ready.raw / "transcript.txt").write_text("")

    class Ear:
        digest = "0" * 64

        def hear(self, file: Path, lang: str | None) -> Any:
            from voice.recognise import Heard

            return Heard(expected[file.stem], "en", ())

    monkeypatch.setattr("stages.align_text.load_recogniser", lambda *_, **__: Ear())
    ready.stage(align.main)
    assert {row["id"]: row["text"] for row in good()} == expected
    assert all(row["draft"] for row in good()) and coverage()["draft"] is True


def test_without_transcript_and_recogniser_there_is_one_line(
    ready: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (ready.raw / "transcript.txt").write_text("")
    ready.edit(lambda params: params["align"].update(recogniser=""))
    assert "write transcript.txt, or name a Whisper model" in ready.refused(align.main, capsys)


def test_the_thresholds_are_those_of_params(ready: Project, capsys: pytest.CaptureFixture[str]) -> None:
    settings = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["align"]
    made = yaml.safe_load((ready.root / "params.yaml").read_text(encoding="utf-8"))["align"]
    assert {key: made[key] for key in STRICT} == {key: settings[key] for key in STRICT}
    ready.edit(lambda params: params["align"].update(min_contrast=40.0))
    assert "of its words lie in 0 good segments" in ready.refused(align.main, capsys)
    assert {row["reason"] for row in bad().values()} == {"low_contrast"}


def test_a_transcript_in_another_language_is_quarantined(ready: Project, capsys: pytest.CaptureFixture[str]) -> None:
    chinese = (ROOT / "data/raw/demo_zh/transcript.txt").read_text(encoding="utf-8").splitlines()[:6]
    write(ready, chinese)
    assert "of its words lie in 0 good segments" in ready.refused(align.main, capsys)
    assert len(bad()) == len(read_table(HERE / "segments.jsonl", Segments))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_and_windows_line_ends_change_nothing(ready: Project, encoding: str) -> None:
    ready.stage(align.main)
    before = (HERE / "aligned.jsonl").read_bytes()
    (ready.raw / "transcript.txt").write_bytes("\r\n".join([*lines_of(ready), ""]).encode(encoding))
    ready.stage(align.main)
    assert (HERE / "aligned.jsonl").read_bytes() == before


def test_another_encoding_is_one_line_that_names_the_place(ready: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (ready.raw / "transcript.txt").write_bytes("今天天气很好，我们去公园散步。\n".encode("gbk"))
    line = ready.refused(align.main, capsys)
    assert "transcript.txt" in line and "byte" in line
