"""Published files to networks of ours: names, heads, depth, shapes and numbers, and all of a version at full size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from stages.pretrained import read_card
from tests.fake_hub import COMMIT, REPO
from tests.golden import fill, keys
from tests.official_stand_ins import CLASSES, State, exported, filled, shrink, whole_bert, write_stand_ins
from tests.stages.conftest import ROOT
from tests.voice.nets.test_bert import WORDS, write_tokenizer
from voice.base_convert import convert
from voice.errors import UserError
from voice.fetch import Source
from voice.files import sha256_file
from voice.nets.bert import BertFeatures, BertFeaturesConfig
from voice.nets.hubert import ContentEncoder
from voice.nets.official import CONTENT
from voice.nets.official_names import CONTENT as CONTENT_ROWS
from voice.nets.speaker import SpeakerNet
from voice.official_files import published_shapes
from voice.weights import half


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_stand_ins(tmp_path_factory.mktemp("published"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Small networks unless the test is slow."""
    if "slow" not in request.keywords:
        shrink(monkeypatch)
    yield
    published_shapes.cache_clear()


def converted(name: str, file: Path, target: Path) -> Path:
    """`convert` of a file alone, as if from the hub."""
    convert(name, "v2Pro", Source(REPO, COMMIT, file.name, file.stat().st_size, sha256_file(file)), file, target)
    return target


def test_the_same_weights_are_read_under_other_spellings_of_their_names(
    stand_ins: dict[str, Path], tmp_path: Path
) -> None:
    norm = ".conv.parametrizations.weight.original"
    spellings = {
        "bert": (("bert.", ""), ("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")),
        "content": ((".conv.weight_g", f"{norm}0"), (".conv.weight_v", f"{norm}1"), ("encoder.", "hubert.encoder.")),
    }
    for stem, changes in spellings.items():
        name = f"{stem}.safetensors"
        plain = converted(name, stand_ins["v2Pro"] / name, tmp_path / f"plain.{name}")
        state = torch.load(stand_ins["v2Pro"] / name, weights_only=True)
        for old, new in changes:
            state = {key.replace(old, new): tensor for key, tensor in state.items()}
        torch.save(state, tmp_path / f"{stem}.bin")
        spelled = converted(name, tmp_path / f"{stem}.bin", tmp_path / name)
        first, second = (CLASSES[stem].load(file).state_dict() for file in (plain, spelled))
        assert all(torch.equal(tensor, second[key]) for key, tensor in first.items())


CHANGES: dict[str, tuple[str, Callable[[State], Any], str]] = {
    "HuBERT lacks a tensor": (
        "content.safetensors", lambda state: state.pop("encoder.layers.1.final_layer_norm.bias"),
        "missing: hubert.encoder.layers.1.final_layer_norm.bias",
    ),
    "HuBERT has a head": (
        "content.safetensors", lambda state: state.update({"lm_head.bias": torch.zeros(3)}), "not known: lm_head.bias",
    ),
    "another speaker network": (
        "speaker.safetensors", lambda state: state.update({"conv1.weight": torch.zeros(8, 1, 5, 5)}),
        "of another shape: conv1.weight",
    ),
    "numbers beyond float16": (
        "content.safetensors", lambda state: state.update({"masked_spec_embed": torch.full((32,), 1e6)}),
        "beyond float16: hubert.masked_spec_embed",
    ),
    "a BERT of other depth": (
        "bert.safetensors",
        lambda state: [state.pop(name) for name in list(state) if ".layer.3." in name], "3 layers, not 4",
    ),
    "half a discriminator": (
        "discriminator.safetensors", lambda state: state.pop("discriminators.7.conv_post.bias"),
        "discriminators.7.conv_post.bias",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_a_file_of_other_tensors_is_refused(stand_ins: dict[str, Path], tmp_path: Path, case: str) -> None:
    name, change, told = CHANGES[case]
    content = torch.load(stand_ins["v2Pro"] / name, weights_only=True)
    change(content.get("weight", content))
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(UserError) as caught:
        converted(name, tmp_path / "x.pth", tmp_path / name)
    line = str(caught.value)
    assert line.startswith(f"{name} from {REPO}/x.pth: ") and told in line and "\n" not in line
    assert not (tmp_path / name).exists()


def test_a_tokenizer_of_another_network_is_refused(tmp_path: Path) -> None:
    file = write_tokenizer(tmp_path / "tokenizer.json", [*WORDS, "多"])
    with pytest.raises(UserError, match="22 tokens, the network has 21"):
        converted("bert_tokenizer.json", file, tmp_path / "bert_tokenizer.json")


def test_a_web_page_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(b"<html>" + b" " * 200)
    with pytest.raises(UserError, match=r"acoustic\.safetensors from .*x\.pth: .*a web page"):
        converted("acoustic.safetensors", tmp_path / "x.pth", tmp_path / "acoustic.safetensors")


@pytest.mark.slow
@torch.no_grad()
def test_the_full_v2proplus_converts(tmp_path: Path) -> None:
    """Every network at its published size, from the published lists of names where there are such.

    Files of the same tensors as the published ones are of their size too, but for a few bytes a tensor.
    """
    card = read_card(ROOT / "models/base/official-v2proplus")["sources"]
    listed = {"semantic": "s1_keys", "acoustic": "s2_v2proplus_keys", "discriminator": "s2D_v2pro_keys"}
    listed |= {"speaker": "eres2netv2_keys"}
    made: dict[str, Any] = {}
    for name, names in listed.items():
        like = {key: torch.empty(shape, device="meta") for key, shape in keys(names).items()}
        like = {k: t.long() if k.endswith("num_batches_tracked") else t for k, t in like.items()}
        state = half(fill(like))
        made[name] = state if name == "speaker" else exported(state)
    made["content"] = filled(ContentEncoder(CONTENT), CONTENT_ROWS)
    assert len(made["content"]) == 211  # as many as the published file holds
    made["bert"] = whole_bert(BertFeaturesConfig())
    assert len(made["bert"]) == 397
    for name in list(made):
        path, target = tmp_path / f"{name}.bin", tmp_path / f"{name}.safetensors"
        torch.save(made.pop(name), path)
        assert path.stat().st_size == pytest.approx(card[target.name]["bytes"], rel=1e-3)
        source = Source(REPO, COMMIT, f"{name}.bin", path.stat().st_size, sha256_file(path))
        convert(target.name, "v2ProPlus", source, path, target)
        path.unlink()
        assert all(torch.isfinite(t).all() for t in CLASSES[name].load(target).state_dict().values())
    speaker = SpeakerNet.load(tmp_path / "speaker.safetensors")
    assert speaker.embed(torch.sin(0.1 * torch.arange(16000))).shape == (1, 20480)
    content = ContentEncoder.load(tmp_path / "content.safetensors")
    assert content.features(torch.zeros(1, 16000))[0].shape == (1, 49, 768)
    bert = BertFeatures.load(tmp_path / "bert.safetensors")
    assert bert.features(torch.tensor([[101, 791, 1921, 102]])).shape == (2, 1024)
