"""The base's pipeline from a corpus to a card: two minutes of the demo recordings, two steps of each training."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from tests.first_party import ROOT
from tests.tiny_project import Tiny, executed
from tests.voice.pretrain.ctranslate2_file import arrays_of, file_of
from voice.audio import read_audio, write_flac
from voice.nets.whisper import WhisperContent
from voice.pretrain.__main__ import STEPS

FILES = ("content", "semantic", "acoustic", "texture", "heard")
PARTS = ("content", "realign", "units", "envelope", "acoustic", "semantic")
LONG = 3  # lines in the one clip that is longer than 12 s


def write_corpus(folder: Path) -> None:
    """Clips of both demo voices, cut where their lines should lie by number of letters; two speakers of each."""
    rows = []
    (folder / "audio").mkdir(parents=True)
    for voice in ("demo_en", "demo_zh"):
        raw = ROOT / "data/raw" / voice
        wave, rate = read_audio(raw / "recording.flac")
        lines = (raw / "transcript.txt").read_text(encoding="utf-8").splitlines()
        second = len("".join(lines)) / (len(wave) / rate)
        groups = [lines[:LONG], *([line] for line in lines[LONG:])]
        at = 0.0
        for n, group in enumerate(groups):
            end = at + len("".join(group)) / second
            name = f"{voice}_{n:02d}.flac"
            write_flac(folder / "audio" / name, wave[int(at * rate) : int(end * rate)], rate)
            row = {"file": name, "speaker": f"{voice}_{n % 2}", "lang": voice[-2:], "text": " ".join(group)}
            rows.append(row | {"kind": "read sentence", "licence": "MIT", "sample_rate": rate})
            at = end
    (folder / "manifest.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")


def write_whisper(folder: Path) -> None:
    """An untrained Whisper-base: the layout is what is tested here."""
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    (folder / "model.bin").write_bytes(file_of(arrays_of(WhisperContent().encoder)))


def shrink(params: dict[str, Any]) -> None:
    params["threads"] = 1
    for name in PARTS:
        params[name] |= {"steps": 2, "budget": 300.0 if name == "semantic" else 16.0}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A checkout with the code, the base's project and a small corpus, never run."""
    root = tmp_path_factory.mktemp("base") / "checkout"
    shutil.copytree(ROOT / "voice", root / "voice", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "base", root / "base", ignore=shutil.ignore_patterns("work", "inputs", "tmp", "dvc.lock"))
    write_corpus(root / "base/inputs/corpus/demo")
    write_whisper(root / "base/inputs/whisper")
    made = Tiny(root / "base")
    made.edit_params(shrink)
    whole = Tiny(root)
    whole.run("git", "init", "-q")
    whole.dvc("init", "-q")
    return made


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file() and f.suffix != ".pt"}


@pytest.mark.slow
def test_corpus_to_card_then_only_what_changed(base: Tiny) -> None:
    work = base.root / "work"
    assert base.repro() == set(STEPS)
    assert base.repro() == set()
    assert "base" not in Tiny(base.root.parent).dvc("status").stdout

    card = json.loads((work / "mini/card.json").read_text(encoding="utf-8"))
    assert set(card["training"]) == set(PARTS) and all(part["steps"] == 2 for part in card["training"].values())
    assert {f.stem for f in (work / "mini").glob("*.safetensors")} == {
        "content",
        "semantic",
        "acoustic",
        "texture",
        "heard",
    }
    assert (work / "mini/LICENSE-whisper.txt").is_file()
    index = [json.loads(line) for line in (work / "index.jsonl").read_text(encoding="utf-8").splitlines()]
    long = {f"{row['part']}/{row['file']}" for row in index if row["size"][0] > 12 * 24000}
    tokenised = {json.loads(line)["name"] for line in (work / "tokens.jsonl").read_text(encoding="utf-8").splitlines()}
    assert long and long <= tokenised

    # Forced to run again, a finished training goes on from its own checkpoint to the same bytes.
    before = bytes_of(work)
    again = base.dvc("repro", "--force", "--single-item", "units").stdout
    assert "units: resuming at step 2 of 2" in again and bytes_of(work) == before

    # With another parameter it begins anew, and only what follows from it runs.
    base.edit_params(lambda params: params["semantic"].update(rate=0.005))
    changed = base.dvc("repro").stdout
    assert executed(changed) == {"semantic", "card"} and "semantic: begins anew" in changed
    after = bytes_of(work)
    assert {name for name in before if before[name] != after[name]} == {
        "semantic.safetensors", "semantic.loss.tsv", "semantic/made_from.json", "mini/semantic.safetensors",
        "mini/card.json",
    }  # fmt: skip
    assert yaml.safe_load((base.root / "dvc.lock").read_text())["stages"].keys() == set(STEPS)
