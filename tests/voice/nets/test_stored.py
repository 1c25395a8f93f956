"""Networks in files: what comes back, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.voice.nets.test_acoustic import SMALL
from voice.bits import Scheme, pack, unpack
from voice.errors import UserError
from voice.nets.acoustic import Acoustic
from voice.nets.discriminator import Discriminator, DiscriminatorConfig
from voice.nets.semantic import Semantic, SemanticConfig
from voice.nets.stored import Stored
from voice.weights import load_tensors, read_meta, save_tensors

JUDGE = DiscriminatorConfig(periods=(2, 3), period_widths=(4, 8), scale_layers=((4, 15, 1, 1), (8, 9, 2, 4)))


@pytest.mark.parametrize(
    "network",
    [Acoustic(SMALL), Discriminator(JUDGE), Semantic(SemanticConfig(phones=9, codes=7, hidden=8, heads=2, ffn=8))],
    ids=lambda network: network.kind,
)
def test_what_is_saved_comes_back_in_half_precision(network: Acoustic | Discriminator, tmp_path: Path) -> None:
    network.save(tmp_path / "n.safetensors", {"voice": "x"})
    again = type(network).load(tmp_path / "n.safetensors")
    assert again.config == network.config and not again.training
    assert read_meta(tmp_path / "n.safetensors")["voice"] == "x"
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor.half().float()), name


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    Discriminator(JUDGE).save(tmp_path / "acoustic.safetensors")
    with pytest.raises(UserError, match=r"acoustic\.safetensors: holds discriminator, not acoustic"):
        Acoustic.load(tmp_path / "acoustic.safetensors")
    save_tensors(tmp_path / "plain.safetensors", {"x": torch.zeros(1)})
    with pytest.raises(UserError, match="no network of ours"):
        Semantic.load(tmp_path / "plain.safetensors")


@dataclass(frozen=True)
class FewConfig:
    wide: int = 40
    high: tuple[int, ...] = (6, 5)


class Few(Stored):
    """A network of every way to be kept."""

    kind, config_class = "few", FewConfig
    few_bits = {"body.": Scheme(4, 8), "body.1": Scheme(2), "head.": Scheme(8)}
    by_rule = ("table",)

    def __init__(self, config: FewConfig | None = None) -> None:
        c = config or FewConfig()
        super().__init__(c)
        self.body = nn.Sequential(nn.Conv1d(c.wide, c.high[0], 3), nn.Linear(c.high[0], c.high[1]))
        self.head, self.rest = nn.Linear(c.high[1], 7), nn.Linear(3, 2)
        self.register_buffer("table", torch.arange(c.wide) / 3)


@settings(max_examples=10, deadline=None)
@given(wide=st.integers(1, 50), seed=st.integers(0, 99))
def test_matrices_in_few_bits_come_back_as_packing_leaves_them(
    wide: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    torch.manual_seed(seed)
    network, file = Few(FewConfig(wide)), tmp_path_factory.mktemp("few") / "n.safetensors"
    network.save(file, {"voice": "x"})
    again, tensors, meta = Few.load(file), *load_tensors(file)
    assert again.config == network.config and meta["voice"] == "x"
    assert set(meta["packed"]) == {"body.0.weight", "body.1.weight", "head.weight"}
    assert "table" not in tensors and tensors["body.0.weight.data"].dtype == torch.uint8
    assert meta["packed"]["body.1.weight"]["bits"] == 4, "the first prefix that fits counts"
    for name, scheme in (("body.0.weight", Scheme(4, 8)), ("head.weight", Scheme(8))):
        wanted = unpack(pack(network.state_dict()[name].numpy(), scheme))
        assert torch.equal(again.state_dict()[name], torch.from_numpy(wanted)), name
    for name in ("body.0.bias", "head.bias", "rest.weight", "rest.bias"):
        assert torch.equal(again.state_dict()[name], network.state_dict()[name].half().float()), name
    assert torch.equal(again.table, network.table), "not rounded: it is in no file"


Damage = Callable[[dict[str, torch.Tensor], dict[str, Any]], object]
WEIGHT = "body.0.weight"
DAMAGES: dict[str, Damage] = {
    "no bytes": lambda tensors, meta: tensors.pop(f"{WEIGHT}.data"),
    "no scales": lambda tensors, meta: tensors.pop(f"{WEIGHT}.scales"),
    "rows cut off": lambda tensors, meta: tensors.update({f"{WEIGHT}.data": tensors[f"{WEIGHT}.data"][:2]}),
    "scales cut off": lambda tensors, meta: tensors.update({f"{WEIGHT}.scales": tensors[f"{WEIGHT}.scales"][:, :2]}),
    "no bytes but numbers": lambda tensors, meta: tensors.update({f"{WEIGHT}.data": torch.zeros(6, 60)}),
    "nobody says how": lambda tensors, meta: meta.pop("packed"),
    "no unit": lambda tensors, meta: meta["packed"][WEIGHT].pop("unit"),
    "eleven bits": lambda tensors, meta: meta["packed"][WEIGHT].update(bits=11),
    "bits in words": lambda tensors, meta: meta["packed"][WEIGHT].update(bits="four"),
    "another shape": lambda tensors, meta: meta["packed"][WEIGHT].update(shape=[6, 41, 3]),
    "no shape": lambda tensors, meta: meta["packed"][WEIGHT].update(shape=None),
    "another group": lambda tensors, meta: meta["packed"][WEIGHT].update(group=7),
    "a weight too many": lambda tensors, meta: meta["packed"].update(other=meta["packed"][WEIGHT]),
    "no config": lambda tensors, meta: meta.pop("config"),
    "another config": lambda tensors, meta: meta["config"].update(wide=41),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_told_of_in_one_line(name: str, tmp_path: Path) -> None:
    file = tmp_path / "n.safetensors"
    Few().save(file)
    tensors, meta = load_tensors(file)
    DAMAGES[name](tensors, meta)
    save_tensors(file, tensors, meta)
    with pytest.raises(UserError, match=r"n\.safetensors: its tensors and its config do not fit") as caught:
        Few.load(file)
    assert "\n" not in str(caught.value) and caught.value.hint


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_cut_short_is_told_of_in_one_line(share: float, tmp_path: Path) -> None:
    file = tmp_path / "n.safetensors"
    Few().save(file)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(UserError, match=r"n\.safetensors: not a readable safetensors file") as caught:
        Few.load(file)
    assert "\n" not in str(caught.value)
