"""Exports say what the audit says, the same each time, and hold against the published schemas."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipeline_fakes import dvc, run
from typer.testing import CliRunner

from pipeline.audit.exports import FILES, export
from pipeline.cli import app
from voice.consent import write_consent
from voice.errors import UserError
from voice.files import sha256_file

HOSTILE = "her <script>alert(1)</script> | novels\n# and [more](x)"
TABLES: dict[str, list[dict[str, Any]]] = {
    "recordings": [{"id": "recording", "file": "recording.flac", "sha256": "?"}],
    "segments": [{"id": f"recording-{n}", "recording": "recording", "start": n, "end": n + 2.5} for n in (1, 4, 7)],
    "aligned": [
        {"id": "recording-1", "recording": "recording", "start": 1, "end": 3.5, "split": "train", "text": "=2+3",
         "lang": "en", "score": 0.9},
        {"id": "recording-4", "recording": "recording", "start": 4, "end": 6.5, "split": "held_out",
         "text": "one, two | three", "lang": "en", "score": 0.8},
    ],
    "aligned.rejected": [{"id": "recording-7", "recording": "recording", "start": 7, "end": 9.5, "reason": "a cough"}],
}  # fmt: skip


def commit(root: Path) -> None:
    run(root, "git", "add", "-A")
    run(root, "git", "-c", "user.name=t", "-c", "user.email=t", "commit", "-q", "--allow-empty", "-m", "state")


@pytest.fixture(scope="module")
def model_once(built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built voice with utterances and a consent whose words are meant to break out, committed."""
    root = tmp_path_factory.mktemp("model") / "project"
    shutil.copytree(built_once, root, symlinks=True)
    write_consent(root / "data/raw/ann", basis="granted", subject="Ann | <b>", scope=HOSTILE)
    digest = sha256_file(root / "data/raw/ann/recording.flac")
    for name, rows in TABLES.items():
        text = "".join(json.dumps({**row, "sha256": digest} if "sha256" in row else row) + "\n" for row in rows)
        (root / "data/ann" / f"{name}.jsonl").write_text(text)
    dvc(root, "repro", "-q")
    (root / "requirements.lock").write_text("numpy==2.1.0 \\\n    --hash=sha256:00\ntorch==2.11.0+cpu ; x\n")
    commit(root)
    return root


@pytest.fixture
def model(model_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder."""
    root = tmp_path / "project"
    shutil.copytree(model_once, root, symlinks=True)
    monkeypatch.chdir(root)
    return root


def exported(root: Path, out: str = "exports") -> dict[str, str]:
    files = export(root, root / "models/ann", root.parent / out)
    assert tuple(file.name for file in files) == FILES
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def test_the_same_model_gives_the_same_bytes_and_its_hashes_are_true(model: Path) -> None:
    first = exported(model)
    assert exported(model, "again") == first
    weights = sha256_file(model / "models/ann/semantic.txt")
    recording = hashlib.sha256((model / "data/raw/ann/recording.flac").read_bytes()).hexdigest()
    for name in ("model-card.md", "provenance.intoto.json", "model.cdx.json"):
        assert weights in first[name] and recording in first[name], name
    assert not any(str(model) in text for text in first.values())
    head = run(model, "git", "rev-parse", "HEAD").stdout.strip()
    assert head in first["model-card.md"] and head in first["provenance.intoto.json"]


def test_other_weights_are_another_model(model: Path) -> None:
    first = json.loads(exported(model)["model.cdx.json"])
    (model / "data/raw/ann/recording.flac").write_text("another recording\n")
    write_consent(model / "data/raw/ann", basis="granted", subject="Ann", scope="other")
    (model / "data/ann/recordings.jsonl").unlink()
    dvc(model, "repro", "-q")
    commit(model)
    other = json.loads(exported(model)["model.cdx.json"])
    assert first["serialNumber"] != other["serialNumber"]
    assert first["metadata"]["component"]["version"] != other["metadata"]["component"]["version"]


def test_words_of_people_stay_words(model: Path) -> None:
    card = exported(model)["model-card.md"]
    assert "<script>" not in card and "<b>" not in card and "\n# and" not in card
    assert "her &lt;script&gt;alert(1)&lt;/script&gt; \\| novels # and \\[more](x)" in card
    assert "| speaker | Ann \\| &lt;b&gt; |" in card and "excluded by align: a cough: 1" in card
    assert "3 utterances (1 excluded, 1 held_out, 1 train), 2.5 s trained on" in card


def test_a_spreadsheet_gets_every_utterance_and_runs_none(model: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(model)["utterances.csv"].removeprefix("\ufeff"))))
    assert [(row["id"], row["fate"], row["text"]) for row in rows] == [
        ("recording-1", "train", "'=2+3"), ("recording-4", "held_out", "one, two | three"),
        ("recording-7", "excluded", ""),
    ]  # fmt: skip
    assert rows[2]["reason"] == "a cough" and rows[0]["file"] == "data/raw/ann/recording.flac"


def test_what_is_stale_uncommitted_or_no_model_is_refused_with_nothing_written(model: Path) -> None:
    out = model.parent / "never"
    for path in ("data/ann", "models", "models/nobody", "models/ann/semantic.txt"):
        with pytest.raises(UserError, match="only the model of a voice"):
            export(model, model / path, out)
    told = CliRunner().invoke(app, ["audit", "--export", str(out)])
    assert isinstance(told.exception, UserError) and "needs a path" in str(told.exception)
    params = yaml.safe_load((model / "params.yaml").read_text())
    (model / "params.yaml").write_text(yaml.safe_dump(params | {"ingest": {"level": 4}}))
    with pytest.raises(UserError, match="stale: .*rebuild"):
        export(model, model / "models/ann", out)
    dvc(model, "repro", "-q")
    with pytest.raises(UserError, match="commit dvc.lock"):
        export(model, model / "models/ann", out)
    assert not out.exists()
    commit(model)
    told = CliRunner().invoke(app, ["audit", "models/ann", "--export", str(out)])
    assert told.exit_code == 0 and sorted(path.name for path in out.iterdir()) == sorted(FILES)
    (model.parent / "file").write_text("")
    with pytest.raises(UserError, match="file"):
        export(model, model / "models/ann", model.parent / "file")


def test_the_bom_holds_against_the_published_schema(model: Path) -> None:
    schema = pytest.importorskip("cyclonedx.schema")
    from cyclonedx.validation.json import JsonStrictValidator

    check = JsonStrictValidator(schema.SchemaVersion.V1_6)
    text = exported(model)["model.cdx.json"]
    assert check.validate_str(text) is None
    bom = json.loads(text)
    refs = {item["bom-ref"] for item in bom["components"]} | {"model"}
    assert len(refs) == len(bom["components"]) + 1
    assert {ref for item in bom["dependencies"] for ref in (item["ref"], *item["dependsOn"])} == refs
    assert {item["purl"] for item in bom["components"] if item["type"] == "library"} == {
        "pkg:pypi/numpy@2.1.0", "pkg:pypi/torch@2.11.0%2Bcpu"
    }  # fmt: skip
    bom["metadata"]["component"]["modelCard"]["modelParameters"]["approach"]["type"] = "magic"
    assert check.validate_str(json.dumps(bom)) is not None


def test_the_statement_holds_against_the_published_messages(model: Path) -> None:
    pytest.importorskip("in_toto_attestation")
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.v1.statement_pb2 import Statement as Message

    told = json.loads(exported(model)["provenance.intoto.json"])
    message = json_format.ParseDict(told, Message())  # a field that it does not know is an error
    Statement.copy_from_pb(message).validate()
    predicate = json_format.ParseDict(told["predicate"], provenance_pb2.Provenance())
    assert json_format.MessageToDict(predicate) == told["predicate"]
    assert predicate.build_definition.build_type and predicate.run_details.builder.id
    assert [subject.name for subject in message.subject] == ["models/ann/semantic.txt"]
    with pytest.raises(json_format.ParseError):
        json_format.ParseDict({**told["predicate"], "unknown": 1}, provenance_pb2.Provenance())


def test_the_events_are_those_the_client_would_send(model: Path) -> None:
    client = pytest.importorskip("openlineage.client.event_v2")
    from openlineage.client.facet_v2 import dataset_version_dataset, source_code_job
    from openlineage.client.serde import Serde

    def sent(side: list[dict[str, Any]], kind: Any) -> list[Any]:
        version = dataset_version_dataset.DatasetVersionDatasetFacet
        return [
            kind(
                item["namespace"], item["name"],
                facets={"version": version(item["facets"]["version"]["datasetVersion"], producer="urn:reprovoice")},
            )
            for item in side
        ]  # fmt: skip

    lines = exported(model)["runs.openlineage.jsonl"].splitlines()
    assert len(lines) == 6  # a start and an end of three stages
    for event in map(json.loads, lines):
        code = event["job"]["facets"]["sourceCode"]
        facet = source_code_job.SourceCodeJobFacet(code["language"], code["sourceCode"], producer="urn:reprovoice")
        made = client.RunEvent(
            eventTime=event["eventTime"],
            producer=event["producer"],
            run=client.Run(event["run"]["runId"], facets={}),
            job=client.Job(event["job"]["namespace"], event["job"]["name"], facets={"sourceCode": facet}),
            eventType=client.RunState[event["eventType"]],
            inputs=sent(event["inputs"], client.InputDataset),
            outputs=sent(event["outputs"], client.OutputDataset),
        )
        theirs = json.loads(Serde.to_json(made))
        for side, name in (("inputs", "inputFacets"), ("outputs", "outputFacets")):
            for item in theirs[side]:
                item.pop(name, None)  # empty: the client writes what it does not know
        assert theirs == event
