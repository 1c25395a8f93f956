"""Stage `pretrained` on published bases: the cards, and small stand-ins for the files, fetched and converted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants

from stages.pretrained import main, read_card
from tests.fake_hub import COMMIT, REPO, FakeHub, serve
from tests.official_stand_ins import CLASSES, HUBERT, SPEAKER, check_hubert_and_bert, shrink, write_stand_ins
from tests.stages.conftest import ROOT, Project
from voice.base_convert import files_of, sources_of
from voice.files import sha256_file, write_json
from voice.nets.official import VERSIONS
from voice.nets.official_names import ACOUSTIC, DISCRIMINATOR, SEMANTIC, Rows, to_official
from voice.nets.official_names import CONTENT as CONTENT_ROWS
from voice.official_files import published_shapes, read_official
from voice.weights import read_meta

CARDS = {"v1": "official-v1", "v2": "official-v2", "v2Pro": "official-v2pro", "v2ProPlus": "official-v2proplus"}


@pytest.mark.parametrize("version", CARDS)
def test_the_cards_say_of_each_file_what_is_known_of_it(version: str) -> None:
    card = read_card(ROOT / "models/base" / CARDS[version])
    known = json.loads((ROOT / "tests/fixtures/pretrained_files.json").read_text(encoding="utf-8"))
    by_path = {item["path"]: item for item in known["files"]}
    assert card["name"] == CARDS[version] and card["version"] == version and card["sample_rate"] == 32000
    found = sources_of(card)
    assert tuple(found) == files_of(version) and ("speaker.safetensors" in found) == ("Pro" in version)
    for name, source in found.items():
        item = by_path[source.path]
        assert vars(source) == {
            "repo": item["repo"], "revision": known["revision"], "path": source.path,
            "bytes": item["size"], "sha256": item["sha256"],
        }  # fmt: skip
        assert card["sources"][name]["evidence"]
    assert (
        found["acoustic.safetensors"]
        .path.lower()
        .startswith(
            {"v1": "s2g488k", "v2": "gsv-v2final-pretrained/s2g2333k"}.get(version, f"v2pro/s2g{version.lower()}.pth")
        )
    )


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_stand_ins(tmp_path_factory.mktemp("published"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Small networks, no settings of the user's, no way out of this machine."""
    monkeypatch.delenv("REPROVOICE_WEIGHTS", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    shrink(monkeypatch)
    yield
    published_shapes.cache_clear()


class Published:
    """A folder of stand-ins at the paths that the card of a version names, and that card with their hashes."""

    def __init__(self, project: Project, version: str, made: Path, patch: pytest.MonkeyPatch) -> None:
        self.project, self.folder = project, project.root / "published"
        self.base = project.root / "models/base" / CARDS[version]
        self.target = project.root / "models/pretrained" / CARDS[version]
        self.card = read_card(ROOT / "models/base" / CARDS[version])
        for name in self.card["sources"]:
            self.take(name, made / name)
        self.write()
        project.edit(lambda params: params.update(base=CARDS[version]))
        patch.setenv("REPROVOICE_WEIGHTS", str(self.folder))

    def take(self, name: str, file: Path) -> None:
        """Publish the bytes of `file` as what becomes `name`."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, self.path(name))

    def path(self, name: str) -> Path:
        return self.folder / self.card["sources"][name]["path"]

    def write(self) -> None:
        for name, entry in self.card["sources"].items():
            entry |= {"bytes": self.path(name).stat().st_size, "sha256": sha256_file(self.path(name))}
        write_json(self.base / "card.json", self.card)

    def run(self) -> None:
        self.project.stage(main, None)

    def refused(self, capsys: pytest.CaptureFixture[str]) -> list[str]:
        with pytest.raises(SystemExit) as caught:
            self.run()
        assert caught.value.code == 2 and not self.target.exists()
        lines = capsys.readouterr().err.strip().splitlines()
        assert lines[0].startswith("pretrained: ")
        return lines


@pytest.fixture
def published(project: Project, stand_ins: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Published:
    return Published(project, "v2Pro", stand_ins["v2Pro"], monkeypatch)


def made_files(folder: Path) -> dict[str, str]:
    return {path.name: sha256_file(path) for path in folder.iterdir()}


@torch.no_grad()
def test_published_files_become_a_base_of_ours(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    published.run()
    made = made_files(published.target)
    assert set(made) == {*files_of("v2Pro"), "aligner.safetensors", "card.json"}
    sizes = VERSIONS["v2Pro"]
    networks: dict[str, tuple[Any, Rows]] = {
        "semantic": (sizes.semantic, SEMANTIC),
        "acoustic": (sizes.acoustic, ACOUSTIC),
        "discriminator": (sizes.discriminator, DISCRIMINATOR),
        "content": (HUBERT, CONTENT_ROWS),
        "speaker": (SPEAKER, ()),
    }
    loaded = {name: CLASSES[name].load(published.target / f"{name}.safetensors") for name in CLASSES}
    for name, (config, rows) in networks.items():
        weights = read_official(published.path(f"{name}.safetensors")).weights
        found = to_official(loaded[name].state_dict(), rows)
        assert loaded[name].config == config and set(found) == set(weights)
        assert all(torch.equal(found[key], tensor.to(found[key].dtype)) for key, tensor in weights.items())
    mini = published.project.root / "models/base/mini"
    assert made["aligner.safetensors"] == sha256_file(mini / "content.safetensors")
    assert made["bert_tokenizer.json"] == sha256_file(published.path("bert_tokenizer.json"))
    assert "acoustic.safetensors: " in (said := capsys.readouterr().out) and "from lj1995/GPT-SoVITS/v2Pro/" in said
    check_hubert_and_bert(loaded["content"], loaded["bert"])
    card = json.loads((published.target / "card.json").read_text(encoding="utf-8"))
    del made["card.json"]
    assert {name: entry["sha256"] for name, entry in card["files"].items()} == made
    assert card["sources"] == published.card["sources"] and card["aligner"] == "models/base/mini/content.safetensors"
    about = read_meta(published.target / "acoustic.safetensors")
    assert about["version"] == "v2Pro" and about["source"]["path"] == "v2Pro/s2Gv2Pro.pth"
    assert about["source"]["sha256"] == published.card["sources"]["acoustic.safetensors"]["sha256"]


def test_a_version_without_speaker_network_has_no_such_file(
    project: Project, stand_ins: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    published = Published(project, "v2", stand_ins["v2"], monkeypatch)
    published.run()
    assert set(made_files(published.target)) == {*files_of("v2"), "aligner.safetensors", "card.json"}
    assert not (published.target / "speaker.safetensors").exists()


def test_files_come_from_the_hub_that_the_environment_names(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPROVOICE_WEIGHTS")
    wanted = published.card["sources"]
    files = {entry["path"]: published.path(name).read_bytes() for name, entry in wanted.items()}
    for hub in serve(FakeHub(files)):
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        published.run()
        assert len(hub.gets()) == len(wanted)
        assert all(path.startswith(f"/{REPO}/resolve/{COMMIT}/") for _, path, _ in hub.log)
    kept = {path.name for path in (published.project.root / ".cache/weights").iterdir() if not path.suffix}
    assert kept == {entry["sha256"] for entry in wanted.values()}
    before = made_files(published.target)
    shutil.rmtree(published.target)
    published.run()  # the hub is gone; the cache is enough
    assert made_files(published.target) == before


def test_every_missing_file_has_a_line_of_its_own(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("content.safetensors", "bert.safetensors"):
        published.path(name).unlink()
    lines = published.refused(capsys)
    assert len(lines) == 2
    for line, name in zip(lines, ("content.safetensors", "bert.safetensors"), strict=True):
        entry = published.card["sources"][name]
        assert f"{REPO}/{entry['path']}: missing: {entry['bytes']} bytes, sha256 {entry['sha256']}" in line
        assert line.endswith(f"(put it at {published.folder / entry['path']})")


def test_a_file_cut_short_is_told_with_both_hashes(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    file = published.path("acoustic.safetensors")
    file.write_bytes(file.read_bytes()[:-100])
    (line,) = published.refused(capsys)
    assert sha256_file(file) in line and published.card["sources"]["acoustic.safetensors"]["sha256"] in line


def test_a_file_of_another_kind_or_version_is_refused(
    published: Published, stand_ins: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    published.take("acoustic.safetensors", stand_ins["v2"] / "acoustic.safetensors")
    published.write()
    assert "holds acoustic of v2, not acoustic of v2Pro" in published.refused(capsys)[0]
    for name in ("acoustic.safetensors", "semantic.safetensors"):
        published.take(name, stand_ins["v2Pro"] / "acoustic.safetensors")
    published.write()
    assert "holds acoustic of v2Pro, not semantic of v2Pro" in published.refused(capsys)[0]


def test_the_aligner_is_checked_before_anything_is_fetched(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = published.project.root / "models/base/mini"
    data = bytearray((mini / "content.safetensors").read_bytes())
    data[-1] ^= 1
    (mini / "content.safetensors").write_bytes(data)
    shutil.rmtree(published.folder)
    published.folder.mkdir()
    (line,) = published.refused(capsys)
    assert "models/base/mini/content.safetensors: sha256 is" in line


def test_a_card_at_fault_is_one_line(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    good = json.loads((published.base / "card.json").read_text(encoding="utf-8"))

    def line(**change: Any) -> str:
        write_json(published.base / "card.json", good | change)
        (said,) = published.refused(capsys)
        return said

    assert "version = 'v9' (known: v1, v2, v2Pro, v2ProPlus)" in line(version="v9")
    assert "sample_rate = 24000: v2Pro speaks at 32000 Hz" in line(sample_rate=24000)
    fewer = {name: entry for name, entry in good["sources"].items() if name != "bert.safetensors"}
    assert "sources: bert.safetensors: missing or not known" in line(sources=fewer)
    bad = good["sources"] | {"bert.safetensors": good["sources"]["bert.safetensors"] | {"sha256": "x"}}
    assert "sources.bert.safetensors: sha256 = 'x': must match" in line(sources=bad)
    assert "files and sources: a card has one of them" in line(files={"a.safetensors": {}})
    assert "sources: must map names to what they are" in line(sources=["a"])
    assert "licence: missing" in line(licence="")
