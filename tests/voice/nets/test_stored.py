"""Networks in files: what comes back, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.voice.nets.test_acoustic import SMALL
from voice.errors import UserError
from voice.nets.acoustic import Acoustic
from voice.nets.discriminator import Discriminator, DiscriminatorConfig
from voice.nets.semantic import Semantic, SemanticConfig
from voice.weights import read_meta, save_tensors

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
