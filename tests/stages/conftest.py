"""A small project in a temporary folder: real speech of demo_en, tiny untrained networks."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from stages.common import run
from voice.audio import read_audio, write_flac
from voice.consent import write_consent
from voice.nets.acoustic import Acoustic, AcousticConfig
from voice.nets.hubert import ContentConfig, ContentEncoder

# Untrained weights hear nothing: the rules of align on scores and speeds are for trained ones.
UNTRAINED = {
    "min_score": 0.0,
    "min_contrast": -100.0,
    "min_weakest": 0.0,
    "max_unexplained": 1e3,
    "min_coverage": 0.1,
    "min_phones_per_second": 0.001,
    "max_phones_per_second": 1e3,
}
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 28.0  # the first six sentences


class Project:
    """The folder, and the means to change it and to run stages in it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.raw = root / "data/raw/demo_en"
        self._patch = monkeypatch

    def consent(self) -> None:
        write_consent(self.raw, basis="synthetic", scope="tests")

    def edit(self, change: Callable[[dict[str, Any]], Any]) -> None:
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(params)
        path.write_text(yaml.safe_dump(params, allow_unicode=True, sort_keys=False), encoding="utf-8")

    def stage(self, main: Callable[..., None], voice: str | None = "demo_en") -> None:
        """Run a stage as its command line would, with the guard on parameters that DVC switches on."""
        name = main.__module__.rpartition(".")[2]
        self._patch.setattr(sys, "argv", [name, *(["--voice", voice] if voice else [])])
        self._patch.setenv("DVC_STAGE", f"{name}@{voice}" if voice else name)
        try:
            run(main)
        finally:
            self._patch.delenv("DVC_STAGE")

    def refused(self, main: Callable[..., None], capsys: pytest.CaptureFixture[str], voice: str = "demo_en") -> str:
        """Run a stage that must stop with status 2 and one line on stderr; that line."""
        with pytest.raises(SystemExit) as caught:
            self.stage(main, voice)
        assert caught.value.code == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1, lines
        return lines[0]


def _write_base(folder: Path) -> None:
    torch.manual_seed(0)
    content = ContentConfig(
        hidden=32,
        layers=2,
        heads=2,
        ffn=32,
        conv_dim=(16, 16),
        position_kernel=8,
        position_groups=4,
        feature_layer=1,
    )
    ContentEncoder(content).save(folder / "content.safetensors")
    decoder = {"channels": 16, "blocks": [2, 4], "n_fft": 1024}
    acoustic = Acoustic(
        AcousticConfig(
            content=32,
            codes=32,
            inter=8,
            hidden=16,
            filters=16,
            mrte=16,
            gin=16,
            decoder="istft",  # untrained pulses are loud, and an untrained ear hears too many phones in them
            decoder_options=decoder,
        )
    )
    # Short code vectors: the frames of an untrained encoder hardly differ, and long ones would all get one code.
    acoustic.quantiser.embed.mul_(1e-3)
    acoustic.save(folder / "acoustic.safetensors")
    files = {
        p.name: {"sha256": hashlib.sha256(p.read_bytes()).hexdigest(), "bytes": p.stat().st_size}
        for p in folder.glob("*.safetensors")
    }
    (folder / "card.json").write_text(json.dumps({"files": files, "licence": "MIT", "data": "none, untrained"}))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for name in ("params.yaml", "dvc.yaml", "lexicon.yaml"):
        shutil.copy(ROOT / name, root / name)
    raw = root / "data/raw/demo_en"
    wave, rate = read_audio(ROOT / "data/raw/demo_en/recording.flac")
    write_flac(raw / "recording.flac", wave[: int(SECONDS * rate)], rate)
    lines = (ROOT / "data/raw/demo_en/transcript.txt").read_text(encoding="utf-8").splitlines()[:6]
    (raw / "transcript.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "models/base/mini").mkdir(parents=True)
    _write_base(root / "models/base/mini")
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    made = Project(tmp_path, monkeypatch)
    made.consent()
    made.edit(lambda params: params["align"].update(UNTRAINED))
    return made
