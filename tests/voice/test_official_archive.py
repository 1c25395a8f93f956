"""Archives: what must never be run, and what is damaged or something else."""

from __future__ import annotations

import io
import os
import pickle
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.test_official_files import listed, packed, refused, s2_file, save, thin
from voice.errors import UserError
from voice.official_files import read_official

SMALL = {"a": torch.arange(40.0), "b": torch.arange(9).half()}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A bare state dict of a few numbers."""
    return save(tmp_path / "small.pth", SMALL)


class Call:
    """Unpickled, it calls a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_calls_something_is_refused_by_name_and_not_run(tmp_path: Path, protocol: int) -> None:
    marker, buffer = tmp_path / "it-ran", io.BytesIO()
    torch.save({"weight": Call(os.system, f"touch {marker}")}, buffer, pickle_protocol=protocol)
    (tmp_path / "bad.ckpt").write_bytes(buffer.getvalue())
    assert f"its pickle asks for {os.system.__module__}.system" in refused(tmp_path / "bad.ckpt")
    save(
        tmp_path / "bad.pth", {"weight": thin(listed("s2", "v2")), "config": Call(eval, f"open({str(marker)!r}, 'w')")}
    )
    assert "its pickle asks for" in refused(tmp_path / "bad.pth") and "eval" in refused(tmp_path / "bad.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Call(os.system, f"touch {marker}"), protocol).ljust(200, b"."))
    assert "no zip archive" in refused(tmp_path / "old.pth")
    assert not marker.exists()


def test_other_classes_are_refused_by_name(tmp_path: Path) -> None:
    named = refused(save(tmp_path / "a.pth", {"weight": {}, "config": Path("a")}))
    assert re.search(r"asks for pathlib\.\w*Path,", named)
    assert "asks for torch.serialization._get_layout" in refused(save(tmp_path / "b.pth", {"a": torch.strided}))


def test_nothing_stays_allowed_or_importable(small: Path) -> None:
    before = set(torch.serialization.get_safe_globals())
    read_official(small)
    read_official(s2_file(small, thin(listed("s2", "v1")), "v1"))
    small.write_bytes(small.read_bytes()[:-30])
    refused(small)
    assert set(torch.serialization.get_safe_globals()) == before and "utils" not in sys.modules


def test_a_holder_that_holds_itself_is_refused(tmp_path: Path) -> None:
    endless: dict[str, Any] = {"a": torch.zeros(2)}
    endless["config"] = [endless] * 9
    assert "not readable" in refused(save(tmp_path / "a.pth", endless))
    wide: list[Any] = [0] * 9
    for _ in range(9):
        wide = [wide] * 9
    assert "more than 100000 values" in refused(save(tmp_path / "b.pth", {"weight": {}, "config": wide}))
    config = {"weight": thin(listed("s1", "v1")), "config": {"model": {"head": torch.zeros(2)}}}
    assert "config holds more than words and numbers" in refused(save(tmp_path / "c.pth", config))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes, no more: cut short or never fetched"),
        (b"PK", "2 bytes, no more"),
        (b"\n<!DOCTYPE html>\n<html><title>x</title>", "a web page, saved in place of the file"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 155093966\n",
            f"a Git-LFS pointer to sha256 {'ab' * 32}, not the file itself",
        ),
        (b"RIFF" + bytes(200), "no zip archive as torch writes since 1.6; begins with b'RIFF"),
        (b"03\x03\x04" + bytes(200), "a LoRA export (header 03)"),
        (b"04\x03\x04" + bytes(200), "a LoRA export (header 04)"),
        (b"PK\x03\x04" + bytes(200), "cut short: 204 bytes without the archive's end"),
    ],
)
def test_what_is_saved_in_a_files_place_is_told_apart(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    assert said in refused(tmp_path / "a.pth")


def test_missing_files_zips_of_others_and_unknown_versions_are_refused(tmp_path: Path, small: Path) -> None:
    assert "no such file" in refused(tmp_path / "a.pth") and "no such file" in refused(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("readme.txt", "x" * 100)
    assert "a zip archive, but none of torch" in refused(tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**6))
    assert "its records are packed" in refused(tmp_path / "a.pth")
    with pytest.raises(UserError, match="v5: no version of GPT-SoVITS"):
        read_official(small, "v5")


def test_damage_is_found_where_torch_finds_none(small: Path) -> None:
    data = bytearray(small.read_bytes())
    at = data.index(torch.arange(40.0).numpy().tobytes())
    for end in (at - 1, at + 80, len(data) - 1, len(data) - 22, len(data) - 60):
        small.write_bytes(data[:end])
        assert f"cut short: {end} bytes" in refused(small)
    data[at + 41] ^= 1
    small.write_bytes(data)
    assert "damaged: the checksum of archive/data/0 is wrong" in refused(small)


@settings(max_examples=200, deadline=None)
@given(start=st.sampled_from([b"", b"PK\x03\x04", b"05\x03\x04", packed(SMALL)[:300]]), rest=st.binary(max_size=400))
def test_no_bytes_give_anything_but_a_refusal(shared: Path, start: bytes, rest: bytes) -> None:
    shared.write_bytes(start + rest)
    refused(shared)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_changed_archive_is_refused_or_reads_the_same(shared: Path, data: st.DataObject) -> None:
    whole = bytearray(packed(SMALL))
    way = data.draw(st.sampled_from(["cut", "flip", "header", "drop"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if way == "flip":
        whole[at] ^= 1 << data.draw(st.integers(0, 7))
    elif way == "header":
        whole[:2] = data.draw(st.binary(min_size=2, max_size=2))
    else:
        del whole[at : None if way == "cut" else at + data.draw(st.integers(1, 50))]
    shared.write_bytes(whole)
    try:
        read = read_official(shared)
    except UserError as error:
        assert str(shared) in str(error) and "\n" not in str(error) and error.hint
        return
    assert way != "cut" and read.weights.keys() == SMALL.keys()
    assert all(torch.equal(read.weights[key], tensor) for key, tensor in SMALL.items())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place that examples write to in turn."""
    return tmp_path_factory.mktemp("any") / "any.pth"
