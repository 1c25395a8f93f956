"""The listening script with tiny random networks: what holds whatever the weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from stages import pretrained, synthesize
from tests.stages.conftest import Project
from tests.stages.made_voice import make_voice
from voice.contracts import Listening
from voice.files import sha256_file
from voice.label import label_text, read_label
from voice.tables import read_table

HERE = Path("data/demo_en/listening")
TEXTS = ["Put the kettle on.", "The bus was late."]


@pytest.fixture
def ready(project: Project) -> Project:
    project.stage(pretrained.main, None)
    make_voice(Path("models/demo_en"))
    project.edit(lambda params: params["synthesize"]["texts"].update(en=TEXTS))
    return project


def contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(HERE.iterdir())}


def test_each_sentence_is_a_labelled_file_whose_row_tells_the_truth(ready: Project) -> None:
    ready.stage(synthesize.main)
    table = read_table(HERE / "listening.jsonl", Listening)
    assert list(table["text"]) == TEXTS and list(table["id"]) == ["01", "02"]
    for row in table.to_dict(orient="records"):
        file = HERE / row["file"]
        assert row["sha256"] == sha256_file(file) and row["ai_generated"] is True
        assert read_label(file) == label_text("demo_en")
        assert json.loads((HERE / f"{row['file']}.json").read_text())["text"] == row["text"]
        assert row["seconds"] == pytest.approx(soundfile.info(file).duration, abs=1e-4)
        assert row["stop"] == "eos"


def test_two_runs_give_the_same_bytes_and_one_changed_text_changes_its_file_alone(ready: Project) -> None:
    ready.stage(synthesize.main)
    first = contents()
    ready.stage(synthesize.main)
    assert contents() == first
    ready.edit(lambda params: params["synthesize"]["texts"].update(en=[TEXTS[0], "Another one."]))
    ready.stage(synthesize.main)
    changed = {name for name, data in contents().items() if first.get(name) != data}
    assert changed == {"02.flac", "02.flac.json", "listening.jsonl"}


def test_files_of_an_older_script_are_gone(ready: Project) -> None:
    ready.stage(synthesize.main)
    ready.edit(lambda params: params["synthesize"]["texts"].update(en=TEXTS[:1]))
    ready.stage(synthesize.main)
    assert set(contents()) == {"01.flac", "01.flac.json", "listening.jsonl"}


def test_takes_that_never_end_are_kept_for_listening_but_stop_the_stage(
    ready: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    make_voice(Path("models/demo_en"), ends=False)
    ready.edit(lambda params: params["synthesize"]["texts"].update(en=["Go."]))
    assert "none of 1 takes ended by itself" in ready.refused(synthesize.main, capsys)
    assert list(read_table(HERE / "listening.jsonl", Listening)["stop"]) == ["max_steps"]
    assert (HERE / "01.flac").is_file()


def test_silent_audio_is_refused(
    ready: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say = synthesize.Voice.say

    def silent(self: synthesize.Voice, *args: object, **options: object) -> object:
        speech = say(self, *args, **options)  # type: ignore[arg-type]
        speech.audio[:] = 0
        return speech

    monkeypatch.setattr(synthesize.Voice, "say", silent)
    assert "listening.jsonl: peak_db: in [-60, 0.01]: row 01 = -120.0" in ready.refused(synthesize.main, capsys)


def test_a_voice_that_is_not_built_is_one_line(ready: Project, capsys: pytest.CaptureFixture[str]) -> None:
    Path("models/demo_en/semantic.safetensors").unlink()
    assert "semantic.safetensors: the voice is not built" in ready.refused(synthesize.main, capsys)
