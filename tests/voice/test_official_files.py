"""Published files: what is read out of them, and what is refused and how."""

from __future__ import annotations

import io
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from tests.golden import keys
from voice.errors import UserError
from voice.official_files import read_official

Weights = dict[str, torch.Tensor]
Shapes = dict[str, tuple[int, ...]]
MARKS = {"v1": b"PK", "v2": b"PK", "v2Pro": b"05", "v2ProPlus": b"06"}
ROWS = "enc_p.text_embedding.weight"
NORM = "model.h.layers.7.norm2.bias"


def listed(network: str, version: str) -> Shapes:
    """The published names and shapes, from the lists and not from our networks."""
    if network == "s1":
        return keys("s1_keys_v1" if version == "v1" else "s1_keys")
    return keys(f"{network}_{version.lower()}_keys")


def exported(shapes: Shapes) -> Shapes:
    return {key: shape for key, shape in shapes.items() if "enc_q" not in key}


def thin(shapes: Shapes, dtype: torch.dtype = torch.float16) -> Weights:
    """Full shapes in a small file: every tensor repeats one value, another one for each name."""
    return {
        key: torch.tensor((sum(key.encode()) % 997) / 512, dtype=dtype).expand(shape) for key, shape in shapes.items()
    }


def holders(value: Any, made: type) -> Any:
    if not isinstance(value, dict):
        return value
    one = made()
    vars(one).update({key: holders(item, made) for key, item in value.items()})
    return one


def packed(content: Any, mark: bytes = b"PK", config: dict[str, Any] | None = None) -> bytes:
    """An archive as GPT-SoVITS writes it; `config` is put in as attribute holders of the class `utils.HParams`."""
    buffer, made = io.BytesIO(), type("HParams", (), {"__module__": "utils"})
    module = ModuleType("utils")
    module.HParams = made  # type: ignore[attr-defined]
    sys.modules["utils"] = module
    try:
        torch.save(content if config is None else content | {"config": holders(config, made)}, buffer)
    finally:
        del sys.modules["utils"]
    return mark + buffer.getvalue()[2:]


def save(path: Path, content: Any, mark: bytes = b"PK", config: dict[str, Any] | None = None) -> Path:
    """`packed`, in a file."""
    path.write_bytes(packed(content, mark, config))
    return path


def s1_file(path: Path, weights: Weights, **model: Any) -> Path:
    return save(path, {"weight": weights, "config": {"model": model, "output_dir": "/home/someone"}, "info": "GPT-e15"})


def s2_file(path: Path, weights: Weights, version: str, mark: bytes | None = None, **model: Any) -> Path:
    config = {"model": {"version": version} | model, "data": {"sampling_rate": 32000}, "exp_dir": "/home/someone/logs"}
    content = OrderedDict(weight=weights, info="8epoch_592iteration")
    return save(path, content, MARKS[version] if mark is None else mark, config)


def refused(path: Path, claimed: str | None = None) -> str:
    """What the refusal says; it is one line, names the file and says what to do."""
    with pytest.raises(UserError) as caught:
        read_official(path, claimed)
    said = str(caught.value)
    assert str(path) in said and "\n" not in said and caught.value.hint
    return said


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A bare state dict of a few numbers."""
    return save(tmp_path / "small.pth", {"a": torch.arange(40.0), "b": torch.arange(9).half()})


@pytest.mark.parametrize(
    ("network", "version", "kind", "versions"),
    [
        ("s1", "v1", "semantic", ("v1",)),
        ("s1", "v2Pro", "semantic", ("v2", "v2Pro", "v2ProPlus", "v3", "v4")),
        ("s2", "v1", "acoustic", ("v1",)),
        ("s2", "v2", "acoustic", ("v2",)),
        ("s2", "v2Pro", "acoustic", ("v2Pro",)),
        ("s2", "v2ProPlus", "acoustic", ("v2ProPlus",)),
        ("s2", "v3v4", "acoustic", ("v3", "v4")),
        ("s2D", "", "discriminator", ("v1", "v2")),
        ("s2D", "v2Pro", "discriminator", ("v2Pro", "v2ProPlus")),
    ],
)
def test_the_tensors_tell_network_and_version(
    tmp_path: Path, network: str, version: str, kind: str, versions: tuple[str, ...]
) -> None:
    weights = thin(listed(network, version) if version else keys("s2D_keys"))
    read = read_official(save(tmp_path / "a.pth", {"weight": weights, "config": {}, "info": ""}))
    assert (read.kind, read.versions) == (kind, versions)
    assert read.version == (versions[0] if len(versions) == 1 else "v3/v4" if version == "v3v4" else None)
    assert read.has_posterior == (network == "s2" and version != "v3v4")
    assert read.weights.keys() == weights.keys()


@pytest.mark.parametrize(("version", "mark"), [("v2Pro", b"05"), ("v2ProPlus", b"06"), ("v2Pro", b"PK"), ("v2", b"01")])
def test_an_export_is_read_with_header_holder_and_info(tmp_path: Path, version: str, mark: bytes) -> None:
    weights = thin(exported(listed("s2", version)))
    read = read_official(s2_file(tmp_path / "a.pth", weights, version, mark, gin_channels=7), version)
    assert (read.version, read.info, read.has_posterior) == (version, "8epoch_592iteration", False)
    assert type(read.config["model"]) is dict and read.config["model"] == {"version": version, "gin_channels": 7}


@pytest.mark.parametrize(
    ("dtype", "key", "info"),
    [(torch.float32, "model", "8epoch"), (torch.bfloat16, "state_dict", ""), (torch.float16, None, "")],
)
def test_training_states_and_bare_state_dicts_are_read_too(
    tmp_path: Path, dtype: torch.dtype, key: str | None, info: str
) -> None:
    weights = thin(listed("s2", "v2"), dtype)
    optimizer = {
        "state": {0: {"step": torch.zeros(()), "exp_avg": torch.zeros(3)}},
        "param_groups": [{"betas": (0, 1)}],
    }
    rest = {"optimizer": optimizer, "learning_rate": 1e-4} | ({"iteration": 8} if info else {})
    read = read_official(save(tmp_path / "G_592.pth", {key: weights} | rest if key else weights))
    assert (read.kind, read.version, read.info, read.config) == ("acoustic", "v2", info, {})
    assert f"torch.{read.precision}" == str(dtype) and read.has_posterior


def test_another_networks_state_dict_is_only_checked_for_its_values(small: Path) -> None:
    read = read_official(small)
    assert (read.kind, read.versions, read.version, read.precision) == ("state", (), None, "float16+float32")
    assert read.weights["a"].tolist() == list(range(40))
    assert "the tensors are those of another network, but you say v2" in refused(small, "v2")
    save(small, {"weight": {"a": torch.zeros(3)}})
    assert "no network of GPT-SoVITS; its first tensor is a" in refused(small)
    save(small, {"a": torch.zeros(1).expand(10**12)})
    assert "a repeats few values" in refused(small)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop(NORM), f"{NORM} is missing in this semantic network of v1 ("),
        (
            lambda w: [w.pop(key) for key in list(w) if ".h." in key],
            "is missing in this semantic network of v1, and 287",
        ),
        (lambda w: w.update({"a\nb": w[NORM]}), "a\\nb is unknown in this semantic network of v1"),
        (lambda w: w.update({NORM: w[NORM][:500]}), f"{NORM}: shape is [500], v1 has [512]"),
        (lambda w: w.update({NORM: w[NORM] * float("nan")}), f"{NORM} holds NaN or infinity"),
        (lambda w: w.update({NORM: w[NORM].float() - float("inf")}), f"{NORM} holds NaN or infinity"),
        (lambda w: w.update({NORM: w[NORM].int()}), f"{NORM} is torch.int32, not float16"),
        (lambda w: w.update({"x.lora_A.default.weight": w[NORM]}), "a LoRA export (x.lora_A.default.weight)"),
        (lambda w: w.update({NORM: {"a": w[NORM]}}), f"{NORM} holds a dict, not a tensor"),
        (lambda w: w.clear(), "holds no tensor"),
    ],
)
def test_tensors_that_are_not_those_of_the_version_are_named(
    tmp_path: Path, change: Callable[[Weights], Any], said: str
) -> None:
    weights = thin(listed("s1", "v1"))
    change(weights)
    assert said in refused(s1_file(tmp_path / "a.ckpt", weights))


def test_a_part_of_the_posterior_and_other_phone_tables_are_refused(tmp_path: Path) -> None:
    weights = thin(listed("s2", "v2"))
    del weights["enc_q.pre.weight"]
    assert "enc_q.pre.weight is missing in this acoustic network of v2 (" in refused(save(tmp_path / "a.pth", weights))
    weights = thin(exported(listed("s2", "v2"))) | {ROWS: torch.zeros(700, 192)}
    assert f"{ROWS}: shape is [700, 192], v2 has [732, 192]" in refused(save(tmp_path / "a.pth", weights))


def test_lora_rank_and_lists_are_refused(tmp_path: Path) -> None:
    assert "LoRA export (lora_rank 32)" in refused(save(tmp_path / "a.pth", {"weight": {}, "lora_rank": 32}))
    assert "holds a list, not weights by name" in refused(save(tmp_path / "a.pth", [torch.zeros(2)]))


def test_tensors_header_config_and_claim_must_agree(tmp_path: Path) -> None:
    path, v2, pro = tmp_path / "a.pth", thin(listed("s2", "v2")), thin(listed("s2", "v2Pro"))
    assert "those of v2, but its header says v2Pro" in refused(s2_file(path, v2, "v2", b"05"))
    assert "those of v2Pro, but its header says v2ProPlus" in refused(s2_file(path, pro, "v2Pro", b"06"))
    assert "those of v2, but its config says v1" in refused(s2_file(path, v2, "v1"))
    assert "those of v2, but you say v2Pro" in refused(s2_file(path, v2, "v2"), "v2Pro")
    assert "those of v1, but you say v2" in refused(s1_file(path, thin(listed("s1", "v1"))), "v2")
    v3 = thin(listed("s2", "v3v4"))
    assert read_official(save(path, {"weight": v3}, b"02")).version == "v3"
    assert read_official(save(path, {"weight": v3}), "v4").version == "v4"
    assert "those of v3, but you say v4" in refused(save(path, {"weight": v3}, b"02"), "v4")
