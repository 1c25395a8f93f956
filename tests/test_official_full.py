"""The largest published version at full size, from files to speech, with weights made by a formula.

pytest -m slow -s tests/test_official_full.py        prints seconds and peak memory of every step
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from tokenizers import Tokenizer, models
from torch import nn

from tests.golden import weight
from tests.tiny_project import CHECKOUT, Tiny, make_project
from voice.files import sha256_file, write_json
from voice.nets.acoustic import Acoustic
from voice.nets.bert import BertFeatures, BertFeaturesConfig
from voice.nets.discriminator import Discriminator
from voice.nets.hubert import ContentEncoder
from voice.nets.official import CONTENT, VERSIONS
from voice.nets.official_names import ACOUSTIC, DISCRIMINATOR, SEMANTIC, to_official
from voice.nets.semantic import Semantic
from voice.nets.speaker import SpeakerNet

BASE, VERSION = "official-v2proplus", VERSIONS["v2ProPlus"]
MIXED = "Please read this 请再说一遍 for me."


@dataclass
class Step:
    """One command: what it was, its seconds of wall time and its peak resident memory in GB."""

    name: str
    seconds: float
    peak: float


def made(network: Callable[[], nn.Module], names: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Any:
    """float16 weights by the formula, under their published names."""
    with torch.device("meta"):
        state = names(network().state_dict())
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in fill_like(state).items()}


def fill_like(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: weight(name, torch.empty(like.shape, dtype=like.dtype)) for name, like in state.items()}


def hub(folder: Path) -> dict[str, Path]:
    """All files of the base as their authors publish them, by the name of ours that they become."""
    plain = {"model": {"version": "v2ProPlus"}}
    makers: dict[str, Callable[[], Any]] = {
        "semantic": lambda: {
            "weight": made(lambda: Semantic(VERSION.semantic), lambda s: to_official(s, SEMANTIC)),
            "config": {"model": {"phoneme_vocab_size": 732}}, "info": "GPT-e0",
        },
        "acoustic": lambda: {
            "weight": made(lambda: Acoustic(VERSION.acoustic), lambda s: to_official(s, ACOUSTIC)),
            "config": plain, "info": "0epoch_0iteration",
        },
        "discriminator": lambda: {
            "weight": made(lambda: Discriminator(VERSION.discriminator), lambda s: to_official(s, DISCRIMINATOR)),
            "config": plain, "info": "0",
        },
        "content": lambda: listening(made(lambda: ContentEncoder(CONTENT), hubert_names)),
        "bert": lambda: made(lambda: BertFeatures(BertFeaturesConfig(layers=24)), lambda s: s),
        "speaker": lambda: made(SpeakerNet, lambda s: s),
    }  # fmt: skip
    found = {}
    for name, make in makers.items():
        found[f"{name}.safetensors"] = folder / f"{name}.bin"
        torch.save(make(), folder / f"{name}.bin")
    characters = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"请再说一遍"]
    tokenizer = Tokenizer(models.WordPiece({c: i for i, c in enumerate(characters)}, unk_token="[UNK]"))
    tokenizer.save(str(folder / "tokenizer.json"))
    return found | {"bert_tokenizer.json": folder / "tokenizer.json"}


def listening(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Twelve layers of the formula's weights make all frames alike; with small steps the frames keep what they hear."""
    steps = ("attention.out_proj.", "feed_forward.output_dense.")
    return {name: 0.05 * tensor if any(step in name for step in steps) else tensor for name, tensor in state.items()}


def hubert_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """As the published file has them: no prefix, and weight norm in its old form."""
    old = {".parametrizations.weight.original0": ".weight_g", ".parametrizations.weight.original1": ".weight_v"}
    renamed = {}
    for name, tensor in state.items():
        name = name.removeprefix("hubert.")
        for ours, theirs in old.items():
            name = name.replace(ours, theirs)
        renamed[name] = tensor
    return renamed


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A project whose base is the published one; its card pins the formula's files in place of the real ones."""
    root = tmp_path_factory.mktemp("official")
    tiny = make_project(root / "project")
    shutil.rmtree(tiny.base)
    shutil.copytree(CHECKOUT / "models/base/mini", tiny.base)
    (root / "hub").mkdir()
    files = hub(root / "hub")
    card = json.loads((CHECKOUT / f"models/base/{BASE}/card.json").read_text(encoding="utf-8"))
    for name, source in card["sources"].items():
        target = root / "local" / source["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        files[name].rename(target)
        source |= {"bytes": target.stat().st_size, "sha256": sha256_file(target)}
    write_json(tiny.root / f"models/base/{BASE}/card.json", card)
    small = {"max_steps": 1, "batch_size": 1, "validate_every": 1}

    def change(params: dict[str, Any]) -> None:
        params["base"] = BASE
        for stage in ("train_semantic", "train_acoustic"):
            params[stage]["official"] |= small | {"trainable": [""]}

    tiny.edit_params(change)
    return tiny


# A small process between: the kernel counts the memory of the one that forks as its child's own.
MEASURE = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdout=sys.stderr)
_, status, used = os.wait4(child.pid, 0)
open(sys.argv[1], "w").write(str(used.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(tiny: Tiny, name: str, *command: str) -> Step:
    """Run a command of the project to its end, measured by the kernel."""
    env = tiny.environment() | {"REPROVOICE_WEIGHTS": str(tiny.root.parent / "local"), "OMP_WAIT_POLICY": "PASSIVE"}
    note, began = tiny.root.parent / "peak", time.monotonic()
    wrapped = [sys.executable, "-S", "-c", MEASURE, str(note), *command]
    done = subprocess.run(wrapped, cwd=tiny.root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{name}: {done.stderr}"
    step = Step(name, time.monotonic() - began, int(note.read_text()) / 2**20)
    print(f"| {step.name} | {step.seconds:.0f} | {step.peak:.2f} |", flush=True)
    return step


@pytest.mark.slow
def test_the_largest_version_goes_from_published_files_to_speech(project: Tiny) -> None:
    print("\n| step | seconds | peak memory, GB |\n|---|---|---|")
    run(project, "pretrained", sys.executable, "-m", "stages.pretrained")
    for stage in ("ingest", "slice", "align", "features", "train_semantic", "train_acoustic"):
        run(project, stage, sys.executable, "-m", f"stages.{stage}", "--voice", "demo_zh")
    say = ("say", "--voice", "demo_zh", "--out", "x.wav", "--rate", "48000", MIXED)
    run(project, "say", sys.executable, "-m", "pipeline.cli", *say)
    sound, rate = soundfile.read(project.root / "x.wav")
    assert rate == 48000 and len(sound) > rate // 2 and abs(sound).max() > 0
    facts = json.loads((project.root / "x.wav.json").read_text(encoding="utf-8"))
    assert {"semantic", "acoustic", "content", "bert", "speaker"} <= set(facts["weights"])
    assert facts["parameters"]["prompt"] is True and facts["parameters"]["top_k"] == 15
    features = project.root / "data/demo_zh/features/shard-000.safetensors"
    from voice.weights import load_tensors

    parts = {name.rpartition(".")[2] for name in load_tensors(features)[0]}
    assert parts == {"ssl", "tokens", "wav", "mel", "bert", "speaker"}
    tuned = Acoustic.load(project.root / "models/demo_zh/acoustic.safetensors")
    assert tuned.config == VERSION.acoustic
