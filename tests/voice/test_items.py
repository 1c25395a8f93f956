from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voice.errors import UserError
from voice.items import ItemCache, pack, unpack
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


def test_a_damaged_value_is_computed_again(tmp_path: Path) -> None:
    cache = ItemCache(tmp_path, "s", "1")
    cache.store("k", b"value")
    whole = (cache.folder / "k").read_bytes()
    for damaged in (b"", b"value", whole[:-1], whole + b"x", whole[:-1] + b"x"):
        (cache.folder / "k").write_bytes(damaged)
        assert cache.read("k") is None
        assert cache.get("k", lambda: b"again") == b"again" == cache.read("k")


def test_trimming_removes_what_was_used_longest_ago_and_nothing_of_this_run(tmp_path: Path) -> None:
    before = ItemCache(tmp_path, "s", "1")
    for number, name in enumerate("abcdef"):
        before.store(name, bytes(1000))
        os.utime(before.folder / name, (1000 + number, 1000 + number))
    (before.folder / ".x.old").write_bytes(b"part of a value whose process was killed")
    os.utime(before.folder / ".x.old", (1000, 1000))
    (before.folder / ".x.new").write_bytes(b"being written")
    cache = ItemCache(tmp_path, "s", "1")
    cache.get("a", lambda: b"not computed")
    assert before.read("c") is not None  # another process uses it: the newest now
    assert cache.trim(10_000) == 0 and len(list(cache.folder.iterdir())) == 7
    assert cache.trim(3_500) == 3 * (1000 + 38)
    assert {path.name for path in cache.folder.iterdir()} == {"a", "c", "f", ".x.new"}
    cache.trim(0)
    assert {path.name for path in cache.folder.iterdir()} == {"a", ".x.new"}
    assert ItemCache(tmp_path, "none", "1").trim(0) == 0


@given(st.dictionaries(st.text(), st.binary()))
def test_packed_files_come_back_whatever_their_names_and_order(files: dict[str, bytes]) -> None:
    data = pack(files)
    assert unpack(data) == files and data == pack(dict(reversed(files.items())))


@given(st.dictionaries(st.text(), st.binary()), st.binary(min_size=1))
def test_bytes_that_were_not_packed_are_refused(files: dict[str, bytes], more: bytes) -> None:
    data = pack(files)
    for wrong in (data + more, data[:-1], more if len(more) < 8 else more[:7], b""):
        with pytest.raises(ValueError):
            unpack(wrong)


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
