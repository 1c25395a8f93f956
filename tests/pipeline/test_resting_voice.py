"""A voice at rest is the same voice: same keys, same sounds as the loaded one, and a revocation counts as much."""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipeline.engine import SayOptions
from pipeline.narration.job import Narration
from pipeline.narration.pool import fingerprint
from pipeline.revocation import mark_revoked
from pipeline.voices import load_narrator, load_voice
from tests.tiny_project import Tiny
from voice.consent import read_consent
from voice.errors import UserError
from voice.synthesis import Voice
from voice.weights import load_tensors, save_tensors

RUN = """
import sys
from pipeline.cli import app
app(sys.argv[1].split(), standalone_mode=False)
"""
LIGHT = """
heavy = {"torch", "transformers", "librosa", "pandas", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.fixture(scope="module")
def shared(tiny_built: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return tiny_built.copy(tmp_path_factory.mktemp("resting") / "project")


@pytest.fixture
def root(shared: Tiny, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(shared.root)
    (shared.root / "one.txt").write_text("Where are you?\n")
    return shared.root


def loaded(root: Path, name: str) -> Voice:
    return load_voice(root, name, "narrate")


def narration(root: Path, out: Path) -> Narration:
    return Narration(root, root / "one.txt", "demo_en", out, SayOptions(), load_voice)


@pytest.mark.parametrize("name", ["demo_en", "demo_zh"])
def test_it_says_of_itself_what_the_loaded_voice_says(root: Path, name: str) -> None:
    resting, awake = load_narrator(root, name), loaded(root, name)
    assert resting.info == awake.info and fingerprint(resting) == fingerprint(awake)
    assert (resting.sample_rate, resting.lexicon) == (awake.sample_rate, awake.lexicon)
    assert resting.hears == (awake.guard is not None) and resting._voice is None
    assert resting.say("Where are you?", seed=7).audio.tobytes() == awake.say("Where are you?", seed=7).audio.tobytes()


def test_every_file_of_a_base_counts_and_a_missing_ear_does_not(root: Path) -> None:
    base, kept = root / "models/pretrained/mini", {}
    for name in ("bert.safetensors", "bert_tokenizer.json", "speaker.safetensors"):  # hashed, and read when needed
        save_tensors(base / name, {"a": torch.ones(3)}, {"kind": name})
    try:
        assert load_narrator(root, "demo_en").info == loaded(root, "demo_en").info
        assert {"bert", "bert_tokenizer", "speaker"} <= set(load_narrator(root, "demo_en").info)
        for name in ("aligner.safetensors", "heard.safetensors"):
            if (base / name).is_file():
                kept[base / name] = (base / name).read_bytes()
                (base / name).unlink()
        found = load_narrator(root, "demo_en")
        assert found.info == loaded(root, "demo_en").info and not found.hears and found.guard is None
        assert found._voice is None and not {"aligner", "heard"} & set(found.info)
    finally:
        for name in ("bert.safetensors", "bert_tokenizer.json", "speaker.safetensors"):
            (base / name).unlink()
        for path, data in kept.items():
            path.write_bytes(data)


def test_a_book_without_a_new_line_is_made_without_any_network(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "book"
    narrate = f"narrate one.txt --voice demo_en --direct --gate off --out {out}"  # a voice of noise passes no gate
    environment = Tiny(root).environment() | {"REPROVOICE_SLOTS": str(tmp_path / "slots")}

    def run(code: str, command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, command], cwd=root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    plan = f"plan one.txt --voice demo_en --out {out}"
    assert "1 to render" in run(RUN + LIGHT, plan)
    assert "1 rendered" in run(RUN, narrate)
    before = {path: path.read_bytes() for path in out.rglob("*.flac")}
    judged = run(RUN + LIGHT, plan)
    assert "0 to render" in judged and "1 cached (1 to judge)" in judged
    assert "0 rendered, 1 cached" in run(RUN + LIGHT, narrate)
    assert before and {path: path.read_bytes() for path in out.rglob("*.flac")} == before


def test_weights_that_change_before_they_are_read_are_refused(root: Path) -> None:
    path = root / "models/demo_en/semantic.safetensors"
    kept = path.read_bytes()
    resting = load_narrator(root, "demo_en")
    tensors, meta = load_tensors(path)
    try:
        save_tensors(path, {name: tensor + 1 for name, tensor in tensors.items()}, meta)
        with pytest.raises(UserError, match="has changed since it was looked at"):
            resting.say("Where are you?")
        path.write_bytes(kept[:-10])
        with pytest.raises(UserError, match="not a readable safetensors file"):
            load_narrator(root, "demo_en")
        path.unlink()
        with pytest.raises(UserError, match="the voice is not built"):
            load_narrator(root, "demo_en")
    finally:
        path.write_bytes(kept)
    assert len(resting.say("Where are you?").audio)  # as they were described


def test_weights_that_do_not_load_stop_a_narration_before_its_first_line(root: Path, tmp_path: Path) -> None:
    path = root / "models/demo_en/semantic.safetensors"
    kept = path.read_bytes()
    try:
        save_tensors(path, {"a": torch.ones(3)}, load_tensors(path)[1])
        job = narration(root, tmp_path / "book")
        assert job.plan().to_render == 1
        with pytest.raises(UserError, match="do not fit this program"):
            job.wake()
    finally:
        path.write_bytes(kept)
    assert not (tmp_path / "book").exists()


def test_a_revoked_voice_is_refused_though_nothing_is_to_be_spoken(root: Path, tmp_path: Path) -> None:
    job = narration(root, tmp_path / "book")
    for key in list(job.todo):
        job.render(key)
    job.finish()
    ready = narration(root, tmp_path / "again")
    assert ready.todo == []
    stones = root / "consent/revoked.jsonl"
    try:
        mark_revoked(root, read_consent(root / "data/raw/demo_en").id, "asked", datetime.date(2026, 2, 1))
        with pytest.raises(UserError, match="revoked on 2026-02-01"):
            ready.finish()
        with pytest.raises(UserError, match="revoked on 2026-02-01"):
            load_narrator(root, "demo_en")
        with pytest.raises(UserError, match="revoked on 2026-02-01"):
            narration(root, tmp_path / "again")
    finally:
        stones.unlink()
    assert not (tmp_path / "again").exists()
