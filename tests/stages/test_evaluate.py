"""Evaluation with tiny random networks over real speech: what holds whatever the weights."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages import align, evaluate, features, ingest, pretrained
from stages import slice as slicing
from stages.common import paths
from stages.lines import spoken_lang, spread
from stages.params import VoiceParams
from tests.stages.conftest import UNTRAINED, Project
from tests.stages.made_voice import make_voice
from voice.audio import read_audio
from voice.contracts import Aligned, EvaluationLines
from voice.files import sha256_file
from voice.label import label_text, read_label
from voice.tables import check_metrics, read_table, write_table

HERE = Path("models/demo_en")


@pytest.fixture(scope="module")
def built(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project after every stage before `evaluate` (training is replaced by random weights), evaluated once."""
    root = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(template, root, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        project = Project(root, patch)
        project.consent()
        project.edit(lambda params: params["align"].update(UNTRAINED))
        project.edit(lambda params: params["evaluate"].update(held_out=1))
        project.edit(lambda params: params["evaluate"]["texts"].update(en=["Close the <b>window</b> & wait."]))
        project.stage(pretrained.main, None)
        for stage in (ingest, slicing, align, features):
            project.stage(stage.main)
        make_voice(HERE)
        project.stage(evaluate.main)
        yield root


@pytest.fixture
def project(built: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(built)
    return Project(built, monkeypatch)


def contents() -> dict[str, bytes]:
    files = [path for path in HERE.rglob("*") if path.is_file()]
    return {path.as_posix(): path.read_bytes() for path in sorted(files)}


def test_every_line_has_its_takes_and_every_clip_its_hash_and_label(project: Project) -> None:
    table = read_table(HERE / "evaluation/lines.jsonl", EvaluationLines)
    takes = {line: list(rows["take"]) for line, rows in table.groupby("line")}
    held = next(line for line in takes if not line.startswith("text-"))
    assert takes == {held: ["tuned", "base", "copy", "real"], "text-01": ["tuned", "base"]}
    for row in table.to_dict(orient="records"):
        clip = HERE / "evaluation" / row["file"]
        assert row["sha256"] == sha256_file(clip)
        assert read_label(clip) == (label_text("demo_en") if row["take"] != "real" else "")
    aligned = read_table(Path("data/demo_en/aligned.jsonl"), Aligned).set_index("id")
    assert aligned.loc[held, "split"] == "held_out"
    assert set(table[table["line"] == held]["text"]) == {aligned.loc[held, "text"]}


def test_the_real_take_is_the_recording_itself(project: Project) -> None:
    table = read_table(HERE / "evaluation/lines.jsonl", EvaluationLines)
    row = table[table["take"] == "real"].iloc[0]
    clip, segment = HERE / "evaluation" / row["file"], Path(f"data/demo_en/segments/{row['line']}.flac")
    assert (read_audio(clip)[0] == read_audio(segment)[0]).all()
    assert 80 < row["f0_median_hz"] < 300 and row["voiced_share"] > 0.2  # a human voice, whatever the networks


def test_metrics_come_from_lines_and_loss_curves(project: Project) -> None:
    path = HERE / "metrics.json"
    metrics = json.loads(path.read_text())
    check_metrics(path, metrics)
    held, table = metrics["held_out"], read_table(HERE / "evaluation/lines.jsonl", EvaluationLines)
    assert [held[f"semantic_loss_{k}"] for k in ("base", "tuned")] == [5.5, 4.75]
    assert [held[f"acoustic_loss_{k}"] for k in ("base", "tuned")] == [1.5, 1.125]
    for take, suffix in (("tuned", ""), ("base", "_base"), ("copy", "_copy"), ("real", "_real")):
        row = table[(table["group"] == "held_out") & (table["take"] == take)].iloc[0]
        assert held[f"phone_error{suffix}"] == pytest.approx(row["edits"] / row["units"], abs=1e-4)
        assert held[f"similarity{suffix}"] == pytest.approx(row["similarity"], abs=1e-4)
    assert held["segments_count"] >= 1 and held["lines_count"] == 1 and held["mel_distance_db_copy"] > 0
    assert metrics["texts"]["lines_count"] == 1 and metrics["texts"]["failed_count"] == 0


def test_the_report_holds_its_pictures_escapes_text_and_finds_its_clips(project: Project) -> None:
    page = (HERE / "evaluation/report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;window&lt;/b&gt; &amp; wait." in page and "<b>window" not in page
    assert page.count("data:image/png;base64,") == 3 and "http" not in page and "<script" not in page
    clips = re.findall(r'<audio [^>]*src="([^"]+)"', page)
    assert len(clips) == 6 and all((HERE / "evaluation" / clip).is_file() for clip in clips)
    assert len(list((HERE / "evaluation").glob("*.png"))) == 3


def test_a_second_run_gives_the_same_bytes_and_clears_what_is_stale(project: Project) -> None:
    first = contents()
    (HERE / "evaluation/clips/old.flac").write_bytes(b"x")
    project.stage(evaluate.main)
    assert contents() == first


def test_a_loss_curve_without_the_base_stops_the_stage(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    curve = HERE / "semantic.loss.tsv"
    kept = curve.read_text()
    curve.write_text("step\tloss\tvalid_loss\n10\t4.0\t4.0\n")
    try:
        assert "semantic.loss.tsv: valid_loss: a row for step 0" in project.refused(evaluate.main, capsys)
    finally:
        curve.write_text(kept)


@pytest.mark.parametrize(("text", "lang"), [("Good morning 你好", "en"), ("我喜欢 tea 和咖啡", "zh")])
def test_an_auto_voice_speaks_the_language_it_has_most_words_of(project: Project, text: str, lang: str) -> None:
    rows = read_table(Path("data/demo_en/aligned.jsonl"), Aligned).iloc[:1].assign(text=text)
    place = paths("mixed")
    write_table(place.aligned, rows, Aligned)
    assert spoken_lang(VoiceParams(lang="auto"), place) == lang
    assert spoken_lang(VoiceParams(lang="zh"), place) == "zh"


def test_lines_are_spread_over_all_segments() -> None:
    assert spread(range(10), 3) == [0, 3, 6] and spread(range(2), 3) == [0, 1] and spread([], 3) == []
