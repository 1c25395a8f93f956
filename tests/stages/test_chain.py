"""slice and align over real speech with untrained networks: what holds whatever the weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages import align, ingest, pretrained
from stages import slice as slicing
from tests.stages.conftest import Project
from voice.contracts import Aligned, Rejected, Segments
from voice.tables import read_table
from voice.text import read_text
from voice.transcript import read_transcript

HERE = Path("data/demo_en")


@pytest.fixture
def ready(project: Project) -> Project:
    """The project after pretrained, ingest and slice."""
    project.stage(pretrained.main, None)
    project.stage(ingest.main)
    project.stage(slicing.main)
    return project


def letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def test_segments_lie_on_the_frame_grid_and_keep_their_files(ready: Project) -> None:
    table = read_table(HERE / "segments.jsonl", Segments)
    assert 4 <= len(table) <= 8 and sorted(table["id"]) == list(table["id"])
    assert sorted(p.stem for p in (HERE / "segments").iterdir()) == list(table["id"])
    assert ((table["start"] * 50).round(6) % 1 == 0).all()


def test_every_word_of_the_transcript_is_in_exactly_one_segment(ready: Project) -> None:
    ready.stage(align.main)
    good, bad = (
        read_table(HERE / "aligned.jsonl", Aligned),
        read_table(HERE / "aligned.rejected.jsonl", Rejected),
    )
    rows = sorted([*good.to_dict(orient="records"), *bad.to_dict(orient="records")], key=lambda row: row["id"])
    assert [row["id"] for row in rows] == list(read_table(HERE / "segments.jsonl", Segments)["id"])
    lines = read_transcript(ready.raw / "transcript.txt")
    assert letters("".join(row["text"] for row in rows)) == letters("".join(lines))
    for row in good.to_dict(orient="records"):
        assert row["phones"] == list(read_text(row["text"], "en").phones)
    assert 1 <= (good["split"] == "held_out").sum() < len(good)


def test_segments_that_score_low_are_set_aside_with_the_reason(
    ready: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.edit(lambda params: params["align"].update(min_score=0.9))
    line = ready.refused(align.main, capsys)
    assert "transcript.txt: 0% of its words lie in 0 good segments" in line
    bad = read_table(HERE / "aligned.rejected.jsonl", Rejected)
    assert len(bad) == len(read_table(HERE / "segments.jsonl", Segments))
    assert set(bad["reason"]) <= {"low_score", "no_words"} and "low_score" in set(bad["reason"])
    assert not (HERE / "aligned.jsonl").exists()


def test_a_transcript_of_a_longer_recording_is_refused(ready: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (ready.raw / "transcript.txt").write_text("The quick brown fox jumps over the lazy dog. " * 60)
    ready.edit(lambda params: params["align"].update(min_coverage=0.6))
    assert "check that the transcript is what is spoken" in ready.refused(align.main, capsys)
    lost = json.loads((HERE / "coverage.json").read_text(encoding="utf-8"))["unspoken"]
    assert sum(line["words"] for line in lost) > 200


def test_a_row_edited_by_hand_is_named(ready: Project, capsys: pytest.CaptureFixture[str]) -> None:
    path = HERE / "segments.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[1]["start"] = rows[0]["start"]
    rows[1]["seconds"] = rows[1]["end"] - rows[1]["start"]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    line = ready.refused(align.main, capsys)
    assert f"segments.jsonl: spans of one recording do not overlap: row {rows[1]['id']}" in line
