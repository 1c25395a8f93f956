"""A whole project small enough to run again and again: two voices of half a minute, a base with random s1 and s2.

Everything runs as a user runs it: DVC, the stages and the command line are child processes in the project's folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

from tests.stages.made_voice import CODES, semantic
from voice.audio import read_audio, write_flac
from voice.consent import write_consent
from voice.files import sha256_file, write_json, write_text
from voice.nets.acoustic import Acoustic, AcousticConfig
from voice.nets.whisper_units import WhisperUnits

CHECKOUT = Path(__file__).resolve().parents[1]
CODE = ("voice", "stages", "pipeline")
SETTINGS = ("dvc.yaml", "params.yaml", "lexicon.yaml", ".dvcignore", ".gitignore", ".dvc/config", ".dvc/.gitignore")
VOICES = ("demo_en", "demo_zh")
SECONDS, LINES = 28.0, 6
STAGES = ("ingest", "slice", "align", "features", "train_semantic", "train_acoustic", "evaluate", "synthesize")
WIDTH = 16
Yaml = dict[str, Any]


class Tiny:
    """The folder of a project, and the means to change it and to run commands in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = root / "models/base/mini"

    def copy(self, target: Path) -> Tiny:
        """The same project in another folder, with its caches and history."""
        shutil.copytree(self.root, target, symlinks=True)
        return Tiny(target)

    def raw(self, voice: str) -> Path:
        return self.root / "data/raw" / voice

    def environment(self) -> dict[str, str]:
        """This interpreter first on PATH, nothing of the user's own Git, Prefect or DVC."""
        drop = ("PREFECT_API_URL", "PYTHONDONTWRITEBYTECODE", "DVC_STAGE", "DVC_ROOT")
        env = {name: value for name, value in os.environ.items() if name not in drop}
        git = {f"GIT_{who}_{what}": "tests" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return env | git | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]]),
            "PYTHONUNBUFFERED": "1",
            "DVC_NO_ANALYTICS": "true",
            "DVC_SITE_CACHE_DIR": str(self.root.parent / f"{self.root.name}.dvc-site"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }  # fmt: skip

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(command, cwd=self.root, env=self.environment(), text=True, **options)

    def run(self, *command: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; fails with all it said unless its status is `status`."""
        done = subprocess.run(command, cwd=self.root, env=self.environment(), text=True, capture_output=True)
        said = f"{' '.join(command)}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == status, said
        return done

    def python(self, *command: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, *command, status=status)

    def dvc(self, *command: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "dvc", *command, status=status)

    def repro(self, *options: str) -> set[str]:
        """`dvc repro`: the stages it ran."""
        return executed(self.dvc("repro", *options).stdout)

    def commit(self) -> None:
        """Everything that Git does not ignore, as after `git add -A && git commit`."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", "state")

    def lock(self) -> Yaml:
        """dvc.lock as values."""
        return dict(yaml.safe_load((self.root / "dvc.lock").read_text(encoding="utf-8")))

    def outputs(self) -> dict[str, str]:
        """Path to md5 of every output, from dvc.lock."""
        return {out["path"]: out["md5"] for stage in self.lock()["stages"].values() for out in stage["outs"]}

    def edit_params(self, change: Callable[[Yaml], Any]) -> None:
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(params)
        write_text(path, yaml.safe_dump(params, allow_unicode=True, sort_keys=False))

    def refused(self, *module: str) -> str:
        """`python -m` of a module that must stop with status 2 and one line on stderr; that line."""
        return only_line(self.python("-m", *module, status=2).stderr)


def only_line(text: str) -> str:
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]


def executed(output: str) -> set[str]:
    """Addresses of the stages whose command DVC ran, from its output."""
    return set(re.findall(r"^Running stage '([^']+)':", output, flags=re.MULTILINE))


def chain(voice: str, first: str = "ingest") -> set[str]:
    """Addresses of the stages of a voice from `first` on."""
    return {f"{stage}@{voice}" for stage in STAGES[STAGES.index(first) :]}


def of_all(*stages: str) -> set[str]:
    """Addresses of `stages` for both voices."""
    return {f"{stage}@{voice}" for stage in stages for voice in VOICES}


EVERYTHING = {"pretrained"} | of_all(*STAGES)


def make_project(root: Path) -> Tiny:
    """A project that was never built, with its first commit."""
    made = Tiny(root)
    for folder in CODE:
        shutil.copytree(CHECKOUT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".dvc").mkdir()
    for name in SETTINGS:
        shutil.copy(CHECKOUT / name, root / name)
    for voice in VOICES:
        shorten(CHECKOUT / "data/raw" / voice, made.raw(voice))
    write_base(made.base)
    made.edit_params(shrink)
    made.run("git", "init", "-q")
    made.commit()
    return made


def shorten(source: Path, target: Path) -> None:
    """The first sentences of a voice."""
    wave, rate = read_audio(source / "recording.flac")
    write_flac(target / "recording.flac", wave[: int(SECONDS * rate)], rate)
    lines = (source / "transcript.txt").read_text(encoding="utf-8").splitlines()[:LINES]
    write_text(target / "transcript.txt", "\n".join(lines) + "\n")
    write_consent(target, basis="synthetic", scope="tests")


def write_base(folder: Path) -> None:
    """The ear of the mini base, s2 and s1 of random weights with known seeds, and their card."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    shutil.copy(CHECKOUT / "models/base/mini/content.safetensors", folder)  # what an untrained ear hears is chance
    acoustic = Acoustic(
        AcousticConfig(
            codes=CODES,
            inter=20,
            hidden=WIDTH,
            filters=WIDTH,
            mrte=WIDTH,
            gin=WIDTH,
            decoder_options={"channels": WIDTH, "blocks": 2, "n_fft": 1024, "mels": 20},
        )
    )
    units = WhisperUnits.load(folder / "content.safetensors").dim
    acoustic.quantiser.embed.copy_(torch.rand(CODES, units).mul(12).softmax(-1).sqrt())
    acoustic.save(folder / "acoustic.safetensors")
    semantic(1, ends=True).save(folder / "semantic.safetensors")
    write_card(folder)


def write_card(folder: Path) -> None:
    """card.json for the weights that lie in `folder` now."""
    files = {p.name: {"sha256": sha256_file(p), "bytes": p.stat().st_size} for p in folder.glob("*.safetensors")}
    write_json(folder / "card.json", {"files": files, "licence": "MIT", "data": "none, untrained"})


def shrink(params: Yaml) -> None:
    """Few steps and texts."""
    params["threads"] = 1
    short = {"max_steps": 2, "batch_size": 2, "validate_every": 1}
    params["train_semantic"] |= short | {"trainable": ["predict"]}
    params["train_acoustic"] |= short | {"trainable": ["enc_p.proj", "flow"]}
    params["speaking"] |= {"auditions": 1, "retries": 0}  # an untrained voice has only problems
    params["evaluate"] |= {"held_out": 1, "texts": {"en": ["Close the window."], "zh": ["请把窗户关上。"]}}
    params["synthesize"] |= {"texts": {"en": ["Where are you?"], "zh": ["你在哪里？"]}}
