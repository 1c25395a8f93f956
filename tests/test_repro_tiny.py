"""What DVC runs after which change, counted on a whole project; rebuild, resume after kill -9, audit."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.tiny_project import EVERYTHING, STAGES, VOICES, Tiny, chain, executed, of_all
from voice.files import sha256_file

RESUMED = re.compile(r"train_semantic demo_en: resuming at step (\d+) of (\d+)")


def delete_outputs(project: Tiny) -> dict[str, str]:
    """Remove every output that dvc.lock names; path to md5 of them."""
    found = project.outputs()
    for name in found:
        path = project.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return found


def flip_byte(path: Path, place: int = -100) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_a_second_repro_runs_nothing_and_git_sees_no_change(project: Tiny) -> None:
    assert project.repro() == set()
    assert project.run("git", "status", "--porcelain").stdout == ""


def test_git_holds_text_and_small_metrics_and_dvc_holds_what_is_made(project: Tiny) -> None:
    tracked = set(project.run("git", "ls-files").stdout.split())
    made = {name for name in project.outputs() if name in tracked}
    assert made == {f"models/{voice}/metrics.json" for voice in VOICES}
    assert not [name for name in tracked if name.startswith(("data/demo", ".cache", "models/pretrained/mini"))
                and not name.endswith(".gitignore")]  # fmt: skip


def test_deleted_outputs_come_back_from_the_cache_without_running_a_stage(project: Tiny) -> None:
    names = delete_outputs(project)
    before = project.lock()
    assert not any((project.root / name).exists() for name in names)
    assert project.repro() == set()
    assert all((project.root / name).exists() for name in names)
    assert project.lock() == before
    assert project.dvc("status").stdout.strip() == "Data and pipelines are up to date."


def test_a_changed_transcript_line_reruns_align_and_below_of_that_voice(project: Tiny) -> None:
    path = project.raw("demo_en") / "transcript.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace("mist", "fog")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert project.repro() == chain("demo_en", "align")


def test_changed_listening_texts_rerun_synthesize_alone(project: Tiny) -> None:
    project.edit_params(lambda params: params["synthesize"]["texts"].update(en=["Open the door."]))
    assert project.repro() == of_all("synthesize")


def test_a_changed_training_parameter_reruns_that_training_and_what_hears_it(project: Tiny) -> None:
    project.edit_params(lambda params: params["train_acoustic"].update(learning_rate=0.01))
    assert project.repro("--dry", "train_semantic") == set()
    assert project.repro("evaluate@demo_en", "synthesize@demo_en") == chain("demo_en", "train_acoustic")
    # What is left is the same of the other voice; one chain run is enough.
    plan = json.loads(project.python("-m", "pipeline.cli", "rebuild", "--dry", "--json").stdout)
    assert {item["stage"] for item in plan["stages"] if item["state"] == "stale"} == chain("demo_zh", "train_acoustic")


def test_a_changed_language_reruns_from_align_and_touches_no_other_voice(project: Tiny) -> None:
    project.edit_params(lambda params: params["voices"]["demo_zh"].update(lang="auto"))
    assert executed(project.dvc("repro", "-s", "align@demo_zh", "ingest@demo_zh").stdout) == {"align@demo_zh"}
    assert project.repro(*sorted(chain("demo_en"))) == set()


def test_a_third_voice_runs_its_eight_stages_and_is_complete(project: Tiny) -> None:
    shutil.copytree(project.raw("demo_en"), project.raw("third"))
    project.edit_params(lambda params: params["voices"].update(third={"lang": "en"}))
    assert project.repro() == chain("third")
    made = project.outputs()
    for name, md5 in made.items():
        assert (project.root / name).exists()
        # The same speech under another name: what does not carry the name is the same.
        if name.startswith("data/third/") and not name.endswith("listening"):
            assert made[name.replace("third", "demo_en")] == md5, name


def test_rebuild_from_scratch_gives_the_lock_and_the_bytes_of_repro(source: Tiny, tiny_built: Tiny) -> None:
    report = json.loads(source.python("-m", "pipeline.cli", "rebuild", "--json").stdout)
    assert {stage["stage"] for stage in report["stages"] if stage["state"] == "Rebuilt"} == EVERYTHING
    # Two runs that share nothing but their inputs: equal md5 of every output, therefore equal bytes.
    assert source.outputs() == tiny_built.outputs()
    assert source.lock() == tiny_built.lock()
    assert source.repro() == set()
    again = json.loads(source.python("-m", "pipeline.cli", "rebuild", "--json").stdout)
    assert {stage["state"] for stage in again["stages"]} == {"Unchanged"}


def kill_in_training(project: Tiny, stage: str, at: str) -> None:
    """kill -9 of DVC with all its children as soon as its output shows `at`."""
    child = project.start(
        "dvc", "repro", "-s", stage, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    assert child.stdout is not None
    said = ""
    for line in child.stdout:
        said += line
        if at in line:
            break
    assert child.poll() is None and at in said, said
    os.killpg(child.pid, signal.SIGKILL)
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL


def test_a_training_killed_with_kill_9_resumes_at_its_checkpoint_and_gives_the_same_weights(project: Tiny) -> None:
    project.edit_params(lambda p: p["train_semantic"].update(epochs=1000, max_steps=400, validate_every=25))
    stage, weights = "train_semantic@demo_en", "models/demo_en/semantic.safetensors"
    before = project.lock()
    kill_in_training(project, stage, "step=75 ")
    assert project.lock() == before
    done = project.dvc("repro", "-s", stage).stdout
    found = RESUMED.search(done)
    assert found and 50 <= int(found[1]) < int(found[2]) == 400, done
    resumed = project.outputs()[weights]
    shutil.rmtree(project.root / ".cache")
    done = project.dvc("repro", "-s", "-f", stage).stdout
    assert executed(done) == {stage} and not RESUMED.search(done)
    assert project.outputs()[weights] == resumed


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, path
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_changed_code_is_not_answered_from_an_old_checkpoint_or_item_cache(project: Tiny) -> None:
    before = project.outputs()
    replace_in(project.root / "voice/train/semantic.py", "= self.rate(number)", "= 10 * self.rate(number)")
    done = project.dvc("repro", "-s", "train_semantic@demo_en").stdout
    assert executed(done) == {"train_semantic@demo_en"} and not RESUMED.search(done)
    replace_in(
        project.root / "voice/features.py",
        "ssl = compact(self.encoders.frames(wave, rate))",
        "ssl = compact(2 * self.encoders.frames(wave, rate))",
    )
    done = project.dvc("repro", "-s", "features@demo_en").stdout
    assert executed(done) == {"features@demo_en"} and " 0 from .cache/items/features" in done
    changed = {name for name, md5 in project.outputs().items() if before[name] != md5}
    assert {"data/demo_en/features", "models/demo_en/semantic.safetensors"} <= changed


def test_audit_names_recording_and_base_and_sees_one_changed_byte(project: Tiny) -> None:
    def audit(status: int) -> dict[str, Any]:
        return json.loads(
            project.python("-m", "pipeline.cli", "audit", "models/demo_en", "--json", status=status).stdout
        )

    recording = project.raw("demo_en") / "recording.flac"
    found = audit(0)
    assert found["verdict"] == "fresh" and found["problems"] == []
    (heard,) = found["sources"][0]["recordings"]
    assert heard["path"] == "data/raw/demo_en/recording.flac"
    assert heard["sha256"] == heard["used"] == heard["consented"] == sha256_file(recording)
    card = json.loads((project.base / "card.json").read_text(encoding="utf-8"))["files"]
    weights = {item["path"]: item["sha256"] for item in found["base"]}
    assert weights == {f"models/base/mini/{name}": entry["sha256"] for name, entry in card.items()}
    assert {step["stage"] for step in found["steps"]} == {"pretrained"} | {
        f"{stage}@demo_en" for stage in STAGES if stage != "synthesize"
    }

    size = recording.stat()
    flip_byte(recording)
    os.utime(recording, ns=(size.st_atime_ns, size.st_mtime_ns))  # also when the time stamp tells nothing
    found = audit(1)
    assert found["verdict"] == "stale: data/raw/demo_en/recording.flac changed"
    (heard,) = found["sources"][0]["recordings"]
    assert heard["state"] == "changed" and heard["sha256"] == sha256_file(recording) != heard["used"]


def test_the_lock_names_no_folder_of_this_machine(tiny_built: Tiny) -> None:
    text = (tiny_built.root / "dvc.lock").read_text(encoding="utf-8")
    assert str(tiny_built.root.parent) not in text
    for name in tiny_built.outputs():
        path = tiny_built.root / name
        for file in [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]:
            assert str(tiny_built.root.parent).encode() not in file.read_bytes(), file
    assert yaml.safe_load(text)["schema"] == "2.0"
