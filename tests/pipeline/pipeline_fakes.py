"""A tiny DVC project and a voice that beeps: real objects, small enough for tests of the orchestration."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.settings import child_environment
from voice.consent import write_consent
from voice.errors import UserError

# clean: bytes to upper case; cut: first line only; train: digest. A text with FAIL in it makes `cut` fail.
TOOL = """
import hashlib, pathlib, sys, time
verb, source, target = sys.argv[1:4]
data = pathlib.Path(source).read_bytes()
out = pathlib.Path(target)
out.parent.mkdir(parents=True, exist_ok=True)
ran = pathlib.Path("ran.log")
with ran.open("a") as log:
    log.write(f"{verb} {target}\\n")
if b"SLEEP" in data:
    pathlib.Path("sleeping").write_text("")
    time.sleep(60)
if verb == "clean":
    out.write_bytes(data.upper())
elif verb == "cut":
    if b"FAIL" in data:
        sys.exit("error: the text says FAIL")
    out.write_bytes(data.splitlines()[0])
else:
    out.write_text(hashlib.sha256(data).hexdigest())
"""

PIPELINE = """
stages:
  ingest:
    foreach: ${voices}
    do:
      desc: Clean the recording
      cmd: python stages/tool.py clean data/raw/${key}/recording.flac data/${key}/clean.txt
      params:
      - ingest
      deps:
      - stages/tool.py
      - data/raw/${key}/recording.flac
      - data/raw/${key}/consent.yaml
      outs:
      - data/${key}/clean.txt
  slice:
    foreach: ${voices}
    do:
      cmd: python stages/tool.py cut data/${key}/clean.txt data/${key}/first.txt
      deps:
      - stages/tool.py
      - data/${key}/clean.txt
      outs:
      - data/${key}/first.txt
  train_semantic:
    foreach: ${voices}
    do:
      cmd: python stages/tool.py train data/${key}/first.txt models/${key}/semantic.txt
      deps:
      - stages/tool.py
      - data/${key}/first.txt
      outs:
      - models/${key}/semantic.txt
      meta:
        gpu: true
"""


def make_project(root: Path, voices: tuple[str, ...] = ("ann", "bob")) -> Path:
    """A Git and DVC project at `root` with three stages for each voice, nothing built yet."""
    (root / "stages").mkdir(parents=True)
    (root / "stages/tool.py").write_text(TOOL)
    (root / "dvc.yaml").write_text(PIPELINE)
    listed = "".join(f"  {name}: {{lang: en}}\n" for name in voices)
    (root / "params.yaml").write_text(f"voices:\n{listed}ingest:\n  level: 3\n")
    for name in voices:
        add_recording(root, name, f"this is {name}\nsecond line\n")
    run(root, "git", "init", "-q")
    run(root, sys.executable, "-m", "dvc", "init", "-q")
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    return root


def add_recording(root: Path, name: str, text: str) -> Path:
    """Write a raw "recording" with its consent record."""
    folder = root / "data/raw" / name
    folder.mkdir(parents=True, exist_ok=True)
    recording = folder / "recording.flac"
    recording.write_text(text)
    write_consent(folder, basis="synthetic", scope="tests")
    return recording


def run(root: Path, *command: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command in the project as a stage would see it."""
    env = {**child_environment(), "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(command, cwd=root, env=env, text=True, capture_output=True, timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} ended {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def dvc(root: Path, *arguments: str) -> str:
    """Run dvc and return what it printed."""
    return run(root, sys.executable, "-m", "dvc", *arguments).stdout


def ran(root: Path) -> list[str]:
    """The stage commands that really ran since the last call."""
    log = root / "ran.log"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


@dataclass
class Beep:
    """What FakeVoice.say returns: the fields of a Speech."""

    audio: np.ndarray
    sample_rate: int
    seconds: float
    seed: int
    stop: str = "eos"
    phones: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class FakeVoice:
    """A voice that beeps for 10 ms a letter, at a pitch from the text; "BROKEN" in a line cannot be said."""

    sample_rate = 24000

    def __init__(self, weights: str = "w1") -> None:
        self.info: dict[str, Any] = {"weights": weights}
        self.said: list[str] = []

    def say(
        self, text: str, *, seed: int | None = None, length_scale: float | None = None, rate: int | None = None,
        **options: Any,
    ) -> Beep:  # fmt: skip
        if "BROKEN" in text:
            raise UserError("no phones for BROKEN")
        if "FULL" in text:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.said.append(text)
        if folder := os.environ.get("FAKE_VOICE_LOG"):
            with Path(folder).open("a") as log:
                log.write(text + "\n")
        seed = 0 if seed is None else seed
        rate = rate or self.sample_rate
        count = int(len(text) * 0.01 * rate * (length_scale or 1.0))
        pitch = 200 + int(hashlib.sha256(f"{text}{seed}{options}".encode()).hexdigest()[:4], 16) % 400
        audio = 0.3 * np.sin(2 * np.pi * pitch * np.arange(count) / rate)
        return Beep(audio.astype(np.float32), rate, count / rate, seed)


def load_fake(root: Path, name: str) -> FakeVoice:
    """A loader of the kind narration takes; its weights are models/<name>/semantic.txt, if there."""
    weights = root / "models" / name / "semantic.txt"
    return FakeVoice(weights.read_text() if weights.exists() else "w1")


class SlowVoice(FakeVoice):
    """Takes FAKE_VOICE_SECONDS for a line, and tells in FAKE_VOICE_LOG.pid which process speaks."""

    def say(self, text: str, **options: Any) -> Beep:
        Path(f"{os.environ['FAKE_VOICE_LOG']}.pid").write_text(str(os.getpid()))
        time.sleep(float(os.environ["FAKE_VOICE_SECONDS"]))
        return super().say(text, **options)


def load_slow(root: Path, name: str) -> SlowVoice:
    """A loader of voices that take their time."""
    return SlowVoice()


@dataclass(frozen=True)
class FakeVerdict:
    """What FakeGate says."""

    reasons: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.reasons


class FakeGate:
    """Finds the same share of sounds wrong each time, by their samples; a text with HOPELESS always."""

    def __init__(self, share: float = 0.4, version: int = 1) -> None:
        self.share, self.version = share, version
        self.heard: list[tuple[str, float]] = []

    def __call__(self, audio: np.ndarray, rate: int, text: str, lang: str, seconds_expected: float) -> FakeVerdict:
        self.heard.append((text, seconds_expected))
        chance = hashlib.sha256(audio.tobytes()).digest()[0] / 256
        if "HOPELESS" in text or chance < self.share:
            return FakeVerdict(("words are missing", "too short")[: 1 + int(chance * 1000) % 2])
        return FakeVerdict(())


def load_gate(root: Path) -> FakeGate:
    """A gate as narration looks one up."""
    return FakeGate()
