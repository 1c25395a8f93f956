"""Pairs of published files go through our networks and back unchanged, and out in upstream's own layout."""

from __future__ import annotations

import io
import pickletools
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tests.golden import weight
from tests.voice.test_official_files import MARKS, NORM, ROWS, Weights, exported, listed, s1_file, s2_file, save, thin
from voice import official_convert
from voice.errors import UserError
from voice.nets.acoustic import Acoustic
from voice.nets.official import VERSIONS
from voice.nets.semantic import Semantic
from voice.official_convert import find_version, rounding, to_networks, write_official
from voice.official_files import OfficialFile, read_official

Pair = tuple[OfficialFile, OfficialFile]
Networks = tuple[Semantic, Acoustic]


def same_bits(found: Weights, wanted: Weights) -> bool:
    assert found.keys() == wanted.keys()
    return all(torch.equal(found[key].view(torch.int16), wanted[key].view(torch.int16)) for key in wanted)


def pickled(archive: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(b"PK" + archive[2:])) as opened:
        return opened.read("archive/data.pkl")


@cache
def made(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A float16 weight by the formula of the golden fixtures; those of s1 are the same in every version."""
    return weight(key, torch.empty(shape, dtype=torch.float16))


@pytest.fixture(scope="module", params=list(VERSIONS))
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def pair(version: str, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """An exported pair with weights by the formula."""
    folder = tmp_path_factory.mktemp("pair")
    s1, s2 = {key: made(key, shape) for key, shape in listed("s1", version).items()}, {}
    for key, shape in exported(listed("s2", version)).items():
        s2[key] = weight(key, torch.empty(shape, dtype=torch.float16))
    sizes = VERSIONS[version]
    paths = [
        s1_file(folder / "s1.ckpt", s1, phoneme_vocab_size=sizes.semantic.phones, n_layer=24, head=16),
        s2_file(folder / "s2.pth", s2, version, gin_channels=sizes.acoustic.gin, n_heads=2),
    ]
    read = (read_official(paths[0], version), read_official(paths[1], version))
    assert same_bits(read[0].weights, s1) and same_bits(read[1].weights, s2)
    for path in paths:
        path.unlink()
    return read


@pytest.fixture(scope="module")
def networks(pair: Pair) -> Networks:
    return to_networks(*pair)


@pytest.fixture(scope="module")
def written(version: str, networks: Networks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("written")
    paths = write_official(*networks, version, folder, "ann", semantic_epoch=15, epoch=8, step=592)
    assert sorted(folder.iterdir()) == sorted(paths)
    yield paths
    for path in paths:
        path.unlink()


@pytest.fixture(scope="module")
def again(version: str, written: tuple[Path, Path]) -> Pair:
    return read_official(written[0], version), read_official(written[1], version)


def test_a_pair_comes_back_bit_for_bit(version: str, pair: Pair, networks: Networks, again: Pair) -> None:
    semantic, acoustic = networks
    assert find_version(semantic, acoustic) == version and acoustic.enc_q is None
    assert [rounding(file) for file in pair] == [0.0, 0.0]
    for network in networks:
        assert not network.training and all(t.dtype == torch.float32 for t in network.state_dict().values())
    assert all(same_bits(file.weights, first.weights) for file, first in zip(again, pair, strict=True))
    assert [file.info for file in again] == ["GPT-e15", "8epoch_592iteration"]


def test_an_export_is_laid_out_as_upstream_lays_it_out(version: str, written: tuple[Path, Path], again: Pair) -> None:
    s1, s2 = written
    assert (s1.name, s2.name) == ("ann-e15.ckpt", "ann_e8_s592.pth")
    wanted = {"collections OrderedDict", "torch HalfStorage", "torch._utils _rebuild_tensor_v2"}
    for path, mark, extra in ((s1, b"PK", set()), (s2, MARKS[version], {"utils HParams"})):
        content = path.read_bytes()
        text = pickled(content)
        assert content[:4] == mark + b"\x03\x04"
        assert {value for code, value, _ in pickletools.genops(text) if code.name == "GLOBAL"} == wanted | extra
        assert str(path.parent).encode() not in content and str(Path.home()).encode() not in text
        assert not any(word in text for word in (b"/tmp", b"/home", b"/root", b"/work", b"\\Users", b"someone"))
    semantic, acoustic = again
    for tensor in [*semantic.weights.values(), *acoustic.weights.values()]:
        assert tensor.dtype == torch.float16 and tensor.is_contiguous() and not tensor.requires_grad
    assert semantic.weights.keys() == listed("s1", version).keys()
    assert acoustic.weights.keys() == exported(listed("s2", version)).keys()
    assert semantic.config["model"] == {
        "vocab_size": 1025, "phoneme_vocab_size": 512 if version == "v1" else 732, "embedding_dim": 512,
        "hidden_dim": 512, "head": 16, "linear_units": 2048, "n_layer": 24, "EOS": 1024, "dropout": 0,
    }  # fmt: skip
    assert semantic.config["data"]["max_sec"] == 54
    config, pro, plus = acoustic.config, version.startswith("v2Pro"), version == "v2ProPlus"
    assert config["train"]["segment_size"] == 20480 and config["version"] == version and config["name"] == "ann"
    data = ("filter_length", "sampling_rate", "hop_length", "win_length", "n_speakers", "n_mel_channels")
    assert [config["data"][key] for key in data] == [2048, 32000, 640, 2048, 300, 128]
    assert config["model"] == {
        "inter_channels": 192, "hidden_channels": 192, "filter_channels": 768, "n_heads": 2, "n_layers": 6,
        "kernel_size": 3, "p_dropout": 0.0 if pro else 0.1, "resblock": "1", "resblock_kernel_sizes": [3, 7, 11],
        "resblock_dilation_sizes": [[1, 3, 5]] * 3, "upsample_rates": [10, 8, 2, 2, 2],
        "upsample_initial_channel": 768 if plus else 512, "upsample_kernel_sizes": [20 if plus else 16, 16, 8, 2, 2],
        "n_layers_q": 3, "use_spectral_norm": False, "gin_channels": 1024 if pro else 512,
        "semantic_frame_rate": "25hz", "freeze_quantizer": True, "version": version,
    }  # fmt: skip


@pytest.mark.parametrize("version", ["v2"], indirect=True, scope="module")
def test_equal_weights_give_equal_bytes_and_only_whole_files(
    networks: Networks, written: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = ModuleType("utils")
    monkeypatch.setitem(sys.modules, "utils", mine)
    name = "".join(["a", "nn"])  # equal to the literal, but another object
    again = write_official(*networks, "v2", tmp_path, name, semantic_epoch=15, epoch=8, step=592)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]
    assert sys.modules["utils"] is mine and not hasattr(mine, "HParams")
    write = official_convert.write_bytes
    monkeypatch.setattr(official_convert, "write_bytes", lambda path, data: write(path, data[:-9]))
    with pytest.raises(UserError, match="cut short"):
        write_official(*networks, "v2", tmp_path / "cut", "ann")
    assert not list((tmp_path / "cut").iterdir())


@pytest.mark.parametrize("version", ["v2"], indirect=True, scope="module")
def test_other_sizes_and_names_that_are_paths_are_not_written(networks: Networks, tmp_path: Path) -> None:
    semantic, acoustic = networks
    for name in ("", "../ann", "/ann", ".ann", "-e", "a b", "a\\b", "a\n"):
        with pytest.raises(UserError, match="no name for a file"):
            write_official(semantic, acoustic, "v2", tmp_path, name)
    with torch.device("meta"):
        mini, longer = Acoustic(), Semantic(replace(VERSIONS["v2"].semantic, layers=25))
    assert find_version(semantic, mini) is find_version(longer, acoustic) is None
    for one, other, version in ((semantic, mini, "v2"), (longer, acoustic, "v2"), (semantic, acoustic, "v2Pro")):
        with pytest.raises(UserError, match=f"not those of the published {version}"):
            write_official(one, other, version, tmp_path, "ann")
    assert not list(tmp_path.iterdir())


def refused(s1: Path, s2: Path) -> str:
    with pytest.raises(UserError) as caught:
        to_networks(read_official(s1), read_official(s2))
    assert "\n" not in str(caught.value) and caught.value.hint
    return str(caught.value)


def test_pairs_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    s1 = s1_file(tmp_path / "s1.ckpt", thin(listed("s1", "v2")))
    v1 = s1_file(tmp_path / "v1.ckpt", thin(listed("s1", "v1")))
    s2 = s2_file(tmp_path / "s2.pth", thin(exported(listed("s2", "v2"))), "v2")
    assert "s2.pth: kind is acoustic, expected semantic" in refused(s2, s1)
    assert f"v1.ckpt: of v1, but {s2} is of v2" in refused(v1, s2)
    v4 = save(tmp_path / "v4.pth", {"weight": thin(listed("s2", "v3v4")), "config": {"version": "v4"}})
    assert "v4: its generator loads by voice.nets.acoustic_v3" in refused(s1, v4)
    rate = s2_file(tmp_path / "rate.pth", thin(exported(listed("s2", "v2"))), "v2", upsample_rates=[8, 8, 2, 2, 2])
    assert "config model.upsample_rates is [8, 8, 2, 2, 2], v2 has [10, 8, 2, 2, 2]" in refused(s1, rate)
    heads = s1_file(tmp_path / "heads.ckpt", thin(listed("s1", "v2")), head=8)
    assert "heads.ckpt: config model.head is 8, v2 has 16" in refused(heads, s2)


def test_other_precisions_are_rounded_and_the_change_is_told(tmp_path: Path) -> None:
    weights = thin(listed("s2", "v1"), torch.float32) | {ROWS: torch.tensor(0.1).expand(322, 192)}
    s1 = s1_file(tmp_path / "s1.ckpt", thin(listed("s1", "v1"), torch.bfloat16) | {NORM: torch.full([512], 1e-9)})
    s2 = save(tmp_path / "G_5.pth", {"model": weights, "iteration": 5})
    pair = read_official(s1), read_official(s2)
    semantic, acoustic = to_networks(*pair)
    assert acoustic.enc_q is not None and torch.equal(acoustic.state_dict()[ROWS], weights[ROWS].half().float())
    assert not semantic.state_dict()["layers.7.norm2.bias"].any()
    assert rounding(pair[0]) == pytest.approx(1e-9) and rounding(pair[1]) == pytest.approx(
        0.1 - 0.0999755859375, rel=1e-3
    )
    weights[ROWS] = torch.tensor(70000.0).expand(322, 192)
    large = save(tmp_path / "G_6.pth", {"model": weights, "iteration": 6})
    assert f"{ROWS} holds values beyond float16's 65504" in refused(s1, large)
