"""Every path to sound, one by one: it speaks with the voice that may, and refuses the one that was revoked."""

from __future__ import annotations

import datetime
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.engine import SayOptions
from pipeline.flowrun import report_of
from pipeline.narration.batches import render_batch
from pipeline.narration.job import Narration
from pipeline.revocation import mark_revoked
from pipeline.scheduling.flows import Visit, narrate_inbox, narrate_script
from pipeline.voices import load_narrator, load_voice
from stages import evaluate, ingest, synthesize, train_acoustic, train_semantic
from stages.common import run
from tests.tiny_project import Tiny
from voice.consent import read_consent
from voice.errors import UserError
from voice.files import write_text
from voice.synthesis import Voice
from voice.weights import read_meta

LINE = {"demo_en": "Where are you?", "demo_zh": "你在哪里？"}
TOLD = "revoked on 2026-02-01 because asked"
MODELS, BASE = Path("models"), Path("models/pretrained/mini")


def rewrite(root: Path, voice: str, **terms: Any) -> None:
    path = root / "data/raw" / voice / "consent.yaml"
    record = yaml.safe_load(path.read_text(encoding="utf-8")) | terms
    write_text(path, yaml.safe_dump(record, allow_unicode=True))


@pytest.fixture(scope="module")
def shared(tiny_built: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both voices are built; demo_en is revoked."""
    root = tiny_built.copy(tmp_path_factory.mktemp("revoked") / "project").root
    for voice, line in LINE.items():
        write_text(root / f"{voice}.txt", line + "\n")
    name = read_consent(root / "data/raw/demo_en").id
    assert mark_revoked(root, name, "asked", datetime.date(2026, 2, 1)).voices == ("demo_en",)
    return root


@pytest.fixture
def root(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """That project as the current folder; what a test changes in consent and scripts is put back."""
    monkeypatch.chdir(shared)
    monkeypatch.setenv("REPROVOICE_SLOTS", str(tmp_path / "slots"))
    kept = {path: path.read_bytes() for path in (shared / "data/raw").rglob("consent.yaml")}
    stones = (shared / "consent/revoked.jsonl").read_bytes()
    yield shared
    for path, data in kept.items():
        path.write_bytes(data)
    (shared / "consent").mkdir(exist_ok=True)
    (shared / "consent/revoked.jsonl").write_bytes(stones)
    shutil.rmtree(shared / "scripts", ignore_errors=True)


def cli(*arguments: str) -> None:
    """The command in this process; what it cannot do is raised, as `reprovoice` would print it."""
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code:
        raise UserError(done.output)


def library(voice: str, _: Path) -> None:
    spoken = Voice.load(MODELS / voice, BASE, threads=1).say(LINE[voice], lang=voice[-2:])
    assert len(spoken.audio)


def say(voice: str, out: Path) -> None:
    cli("say", LINE[voice], "--voice", voice, "--out", str(out / "a.wav"))


def narrate_direct(voice: str, out: Path) -> None:
    cli("narrate", f"{voice}.txt", "--voice", voice, "--out", str(out), "--direct", "--gate", "off")


def narrate_flow(voice: str, out: Path) -> None:
    cli("narrate", f"{voice}.txt", "--voice", voice, "--out", str(out), "--gate", "off")


def scheduled_script(voice: str, out: Path) -> None:
    given = {"script": f"{voice}.txt", "out": str(out), "voice": voice, "options": {"gate": "off"}}
    [done] = report_of(narrate_script, given, Visit).files
    if done.outcome != "narrated":
        raise UserError(done.note)


def inbox(voice: str, out: Path) -> None:
    write_text(Path("scripts/inbox/a.txt"), LINE[voice] + "\n")
    given = {"inbox": "scripts/inbox", "outbox": str(out), "voice": voice, "options": {"gate": "off"}}
    try:
        assert [each.outcome for each in report_of(narrate_inbox, given, Visit).files] == ["narrated"]
    except UserError:
        assert Path("scripts/inbox/a.txt").exists()  # no script is to blame for a voice
        raise


def schedule(voice: str, _: Path) -> None:
    cli("schedule", "add", f"for_{voice}", "--voice", voice, "--script", f"{voice}.txt", "--out", "o", "--every", "1d")


PATHS: list[Callable[[str, Path], None]] = [library, say, narrate_direct, schedule]
FLOWS: list[Callable[[str, Path], None]] = [narrate_flow, scheduled_script, inbox]


def check(path: Callable[[str, Path], None], tmp_path: Path) -> None:
    path("demo_zh", tmp_path / "zh")
    with pytest.raises(UserError, match=TOLD) as caught:
        path("demo_en", tmp_path / "en")
    assert str(caught.value).count("\n") <= 1
    assert not list((tmp_path / "en").rglob("*.flac")) and not list((tmp_path / "en").rglob("*.wav"))


@pytest.mark.parametrize("path", PATHS)
def test_a_path_speaks_with_the_one_voice_and_refuses_the_other(root: Path, path: Any, tmp_path: Path) -> None:
    check(path, tmp_path)


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("path", FLOWS)
def test_a_flow_speaks_with_the_one_voice_and_refuses_the_other(root: Path, path: Any, tmp_path: Path) -> None:
    check(path, tmp_path)


@pytest.mark.parametrize("stage", [ingest, train_semantic, train_acoustic, evaluate, synthesize])
def test_a_stage_refuses(
    root: Path, stage: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That these stages work for a voice that may is what the fixture has shown, which ran them all."""
    before = {path: path.stat().st_mtime_ns for path in root.glob("*/demo_en/**/*") if path.is_file()}
    monkeypatch.setattr(sys, "argv", [stage.__name__, "--voice", "demo_en"])
    with pytest.raises(SystemExit) as caught:
        run(stage.main)
    assert caught.value.code == 2
    [line] = capsys.readouterr().err.strip().splitlines()
    assert TOLD in line
    assert before == {path: path.stat().st_mtime_ns for path in root.glob("*/demo_en/**/*") if path.is_file()}


def test_an_export_needs_publish_and_refuses_the_revoked(root: Path, tmp_path: Path) -> None:
    def export(voice: str) -> None:
        cli("export", f"models/{voice}", "--out", str(tmp_path / voice))

    with pytest.raises(UserError, match=TOLD):
        export("demo_en")
    with pytest.raises(UserError, match="publish not granted"):
        export("demo_zh")
    rewrite(root, "demo_zh", purposes=["publish"])
    with pytest.raises(UserError, match="not a published version's"):  # past the gate; the tiny base is no official one
        export("demo_zh")


def test_a_worker_that_has_the_voice_already_refuses_every_further_line(root: Path, tmp_path: Path) -> None:
    """Revoked between the plan and the lines, as a runner's worker meets it, and then before the book is made."""
    stones = (root / "consent/revoked.jsonl").read_bytes()
    (root / "consent/revoked.jsonl").unlink()
    engine = load_voice(root, "demo_en")
    job = Narration(root, root / "demo_en.txt", "demo_en", tmp_path / "book", SayOptions(), load_voice)
    [lines] = list(job.batches(8))
    (root / "consent/revoked.jsonl").write_bytes(stones)
    found = render_batch(str(root), "pipeline.voices:load_voice", None, [line.plain() for line in lines])
    assert [TOLD in str(each["error"]) for each in found] == [True]
    assert TOLD in str(job.render(lines[0].key)["error"])
    with pytest.raises(UserError, match=TOLD):
        job.finish()
    assert not list((tmp_path / "book").rglob("*.flac"))
    with pytest.raises(UserError, match=TOLD):
        engine.say("Where are you?")


def test_weights_name_consent_and_recordings_and_are_refused_under_another_name(root: Path) -> None:
    consent = read_consent(root / "data/raw/demo_en")
    for name in ("semantic", "acoustic"):
        told = read_meta(root / f"models/demo_en/{name}.safetensors")["consent"]
        assert told == {"id": consent.id, "recordings": dict(consent.recordings)}
    shutil.copytree(root / "models/demo_en", root / "models/copy")
    shutil.copytree(root / "data/raw/demo_zh", root / "data/raw/copy")
    for folder in (root / "models/copy", root / "elsewhere"):
        if not folder.exists():
            shutil.move(root / "models/copy", folder)
        with pytest.raises(UserError, match=TOLD):
            Voice.load(folder, root / BASE)
    shutil.rmtree(root / "data/raw/copy")


def test_purpose_language_and_expiry_count_in_the_library(root: Path) -> None:
    rewrite(root, "demo_zh", purposes=["narrate"], languages=["zh"])
    with pytest.raises(UserError, match="demo_zh: consent .*: speak not granted, only narrate"):
        load_voice(root, "demo_zh")
    narrator = load_narrator(root, "demo_zh")
    assert len(narrator.say("你在哪里？").audio)
    with pytest.raises(UserError, match="language en not granted, only zh"):
        narrator.say("你在哪里? Where are you?")
    rewrite(root, "demo_zh", expires=datetime.date(2020, 1, 1))
    with pytest.raises(UserError, match="expired on 2020-01-01"):
        narrator.say("你在哪里？")
    (root / "consent/revoked.jsonl").write_text("{")
    with pytest.raises(UserError, match="nothing speaks or trains until it is whole"):
        Voice.load(root / "models/demo_zh", root / BASE)
