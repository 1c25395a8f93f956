from __future__ import annotations

from pathlib import Path

import pytest
import torch

from voice.errors import UserError
from voice.items import ItemCache
from voice.split import held_out
from voice.tensors import check_tensor


def test_a_value_is_computed_once_and_survives_the_process(tmp_path: Path) -> None:
    calls: list[int] = []

    def compute() -> bytes:
        calls.append(1)
        return b"value"

    for _ in range(2):
        cache = ItemCache(tmp_path, "features", "1")
        assert cache.get(cache.key(b"audio", "sha", 2), compute) == b"value"
    assert calls == [1] and (cache.hits, cache.misses) == (1, 0)


def test_every_part_the_version_and_the_stage_change_the_key(tmp_path: Path) -> None:
    keys = {
        ItemCache(tmp_path, stage, version).key(*parts)
        for stage, version, parts in [
            ("a", "1", (b"x", "y")), ("b", "1", (b"x", "y")), ("a", "2", (b"x", "y")),
            ("a", "1", (b"xy", "")),
            ("a", "1", ("x", "y")), ("a", "1", (b"x", "z")), ("a", "1", (b"x", "y", 1)),
            ("a", "1", (b"x", "y", 1.0)),
        ]
    }  # fmt: skip
    assert len(keys) == 8


def test_a_failed_computation_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = ItemCache(tmp_path, "features", "1")

    def broken() -> bytes:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.get("k", broken)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (torch.zeros(3, 5), r"f: k: shape is \[3, 5\], expected \[any, 4\]"),
        (torch.zeros(3, 4, 1), "shape"),
        (torch.zeros(0, 4), "no value"),
        (torch.zeros(3, 4, dtype=torch.float16), "dtype is float16, expected float32"),
        (torch.full((3, 4), float("nan")), "12 of 12 values are not finite"),
    ],
)
def test_a_tensor_off_its_contract_is_named(tensor: torch.Tensor, reason: str) -> None:
    check_tensor("f: k", torch.zeros(3, 4), (None, 4), torch.float32)
    with pytest.raises(UserError, match=reason):
        check_tensor("f: k", tensor, (None, 4), torch.float32)


def hashes(count: int) -> dict[str, str]:
    import hashlib

    return {f"s{n}": hashlib.sha256(str(n).encode()).hexdigest() for n in range(count)}


def test_the_held_out_share_is_bounded_and_never_empty() -> None:
    for count in range(2, 60):
        found = held_out(hashes(count), 0.15, 0.2)
        assert 1 <= len(found) <= max(1, int(0.2 * count))
    assert held_out(hashes(300), 0.15, 0.2) and abs(len(held_out(hashes(1000), 0.15, 0.2)) - 150) < 40


def test_new_data_moves_no_old_segment() -> None:
    old, new = held_out(hashes(300), 0.15, 0.5), held_out(hashes(400), 0.15, 0.5)
    assert old == {name for name in new if int(name[1:]) < 300}
