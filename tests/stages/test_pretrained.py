from __future__ import annotations

import json

import pytest

from stages.pretrained import main
from tests.stages.conftest import Project


def test_checked_weights_are_copied_byte_for_byte(project: Project) -> None:
    project.stage(main, None)
    source, target = project.root / "models/base/mini", project.root / "models/pretrained/mini"
    assert sorted(p.name for p in target.iterdir()) == [
        "acoustic.safetensors",
        "aligner.safetensors",
        "card.json",
        "content.safetensors",
    ]
    beside = {"aligner.safetensors": "content.safetensors"}  # the one with a CTC head
    assert all((source / beside.get(p.name, p.name)).read_bytes() == p.read_bytes() for p in target.iterdir())


def refused(project: Project, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        project.stage(main, None)
    assert caught.value.code == 2
    assert not (project.root / "models/pretrained").exists()
    return capsys.readouterr().err


def test_one_changed_byte_is_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    path = project.root / "models/base/mini/content.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert "content.safetensors: sha256 is" in refused(project, capsys)
    path.write_bytes(data[:-1])
    assert "bytes, the card says" in refused(project, capsys)
    path.unlink()
    assert "missing, the card lists it" in refused(project, capsys)


def test_an_unknown_base_and_a_card_that_leaves_its_folder_are_refused(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit(lambda params: params.update(base="maxi"))
    assert "base = 'maxi'" in (line := refused(project, capsys)) and "known: mini" in line
    project.edit(lambda params: params.update(base="mini"))
    card = project.root / "models/base/mini/card.json"
    good = json.loads(card.read_text())
    card.write_text(json.dumps(good | {"files": {"../x.safetensors": {"sha256": "0", "bytes": 1}}}))
    assert "files.../x.safetensors: a plain name" in refused(project, capsys)
    card.write_text(json.dumps(good | {"files": {"acoustic.safetensors": good["files"]["acoustic.safetensors"]}}))
    assert "files.content.safetensors: missing, every base needs one" in refused(project, capsys)
    card.write_text(json.dumps({k: v for k, v in good.items() if k != "licence"}))
    assert "licence: missing" in refused(project, capsys)
