"""`reprovoice read`: a table or one JSON object, with the lexicons of project and voice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from pipeline.cli_read import register
from voice.errors import UserError

FIELDS = {"text", "norm", "phones", "word2ph", "words", "langs", "sources", "segments", "warnings"}


def run(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a voice; both have own words."""
    voice = tmp_path / "data" / "raw" / "bea"
    voice.mkdir(parents=True)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "lexicon.yaml").write_text("Bea: B IY1\nB站: =哔站\n", encoding="utf-8")
    (voice / "lexicon.yaml").write_text("bea: B EH1 AH0\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_json_is_one_object_with_every_field() -> None:
    done = run("我说hello", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert set(found) == FIELDS
    assert found["segments"] == [
        {"lang": "zh", "text": "我说", "start": 0, "end": 2},
        {"lang": "en", "text": "hello", "start": 2, "end": 3},
    ]
    assert sum(found["word2ph"]) == len(found["phones"]) and found["norm"] == "我说 hello"


def test_the_table_shows_each_word_and_where_its_reading_is_from() -> None:
    done = run("重(chong2)复 hello ж")
    assert done.exit_code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    assert rows[0][1:] == ["zh", "重", "ch ong2", "inline"]
    assert rows[2][:3] == ["hello ж", "en", "hello"]
    assert "重复 hello\n" in done.stdout
    assert done.stderr.startswith("note: cannot read 'ж'")


def test_lexicons_of_project_and_voice_are_used(project: Path) -> None:
    alone = json.loads(run("Bea在B站", "--json").stdout)
    assert alone["phones"][:2] == ["B", "IY1"] and alone["sources"] == ["lexicon", "dictionary", "lexicon", "lexicon"]
    voiced = json.loads(run("Bea在B站", "--voice", "bea", "--json").stdout)
    assert voiced["phones"][:3] == ["B", "EH1", "AH0"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["bonjour", "--lang", "fr"], "language 'fr' is not supported"),
        (["  "], "there is no text"),
        (["hello", "--voice", "eve"], "no folder data/raw/eve"),
        (["hello", "--voice", "../raw/bea"], "no folder"),
        (["hello", "--voice", "/etc"], "no folder"),
        (["{word|XX}"], "unknown phone 'XX'"),
    ],
)
def test_bad_input_is_refused_in_one_line(project: Path, arguments: list[str], part: str) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, UserError) and done.stdout == ""
    assert part in str(done.exception) and "\n" not in str(done.exception)


def test_a_fault_in_a_lexicon_names_the_file(project: Path) -> None:
    (project / "lexicon.yaml").write_text("a: EY1\nword: W ER9\n")
    done = run("hello")
    assert isinstance(done.exception, UserError)
    assert "lexicon.yaml: line 2: lexicon word 'word': unknown phone 'ER9'" in str(done.exception)


def test_outside_a_project_a_text_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("hello", "--json").exit_code == 0
    assert isinstance(run("hello", "--voice", "bea").exception, UserError)
