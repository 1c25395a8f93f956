"""The audit and the doctor on a base that is fetched: weights lie where they were converted to, with their origin."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.audit import BaseWeights, weights_folder
from pipeline.audit.chain import Link, Step
from pipeline.audit.hashes import Hashes
from pipeline.audit.sources import read_base
from pipeline.doctor import _base as checks_of_base
from tests.test_dvc_yaml import ROOT

NAME, CONTENT = "official-v2", b"converted weights"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    params = (tmp_path / "params.yaml").read_text(encoding="utf-8").replace("base: mini", f"base: {NAME}")
    (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
    source = {"repo": "someone/weights", "path": "s1.ckpt", "sha256": "ab" * 32}
    card = {"sources": {"semantic.safetensors": source}, "licence": "MIT", "data": "none"}
    put(tmp_path / f"models/base/{NAME}/card.json", json.dumps(card).encode())
    return tmp_path


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def convert(root: Path) -> None:
    card = json.loads((root / f"models/base/{NAME}/card.json").read_text(encoding="utf-8"))
    files = {"semantic.safetensors": {"sha256": sha256(CONTENT).hexdigest(), "bytes": len(CONTENT)}}
    put(root / f"models/pretrained/{NAME}/card.json", json.dumps(card | {"files": files}).encode())
    put(root / f"models/pretrained/{NAME}/semantic.safetensors", CONTENT)


def weights(root: Path) -> tuple[BaseWeights, ...]:
    link = Link(f"models/base/{NAME}", "base", None, None)
    return read_base(root, Hashes(root, lambda top: []), [Step("pretrained", "", False, (), (link,), (), ())])


def test_weights_are_named_with_the_published_file_they_came_from(root: Path) -> None:
    convert(root)
    (found,) = weights(root)
    assert (found.path, found.state) == (f"models/pretrained/{NAME}/semantic.safetensors", "ok")
    assert found.origin == f"someone/weights/s1.ckpt sha256 {'ab' * 32}"
    put(root / found.path, CONTENT + b"!")
    assert weights(root)[0].state == "changed"


def test_the_doctor_says_what_is_not_fetched_and_checks_what_is(root: Path) -> None:
    (told,) = checks_of_base(root)
    assert not told.ok and "not fetched yet: dvc repro pretrained" in told.detail
    convert(root)
    (told,) = checks_of_base(root)
    assert told.ok and told.name == f"base {NAME} semantic.safetensors"


def test_a_base_of_our_own_is_never_looked_for_elsewhere(root: Path) -> None:
    put(root / "models/pretrained/mini/card.json", b"{}")
    assert weights_folder(root, "mini") == root / "models/base/mini"
