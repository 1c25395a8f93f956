"""A step goes on from its own checkpoint and from no other."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pytest

from voice.pretrain.__main__ import options
from voice.pretrain.resume import KEPT_IN, READS, files_read, made_from, settle


def words(step: str, root: Path, *more: str) -> argparse.Namespace:
    folders = ["--work", root / "work", "--arrays", root / "arrays", "--target", root / "target"]
    folders += ["--teacher", root / "teacher"]
    return options([step, *map(str, folders), "--threads", "1", *more])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for item in {item for step in KEPT_IN for item in READS[step]}:
        file = tmp_path / item if "/" in item else tmp_path / item / "deep" / "model.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(item)
    return tmp_path


def begun(step: str, root: Path) -> Path:
    """A checkpoint made under `settle`."""
    args = words(step, root)
    settle(args)
    file = getattr(args, KEPT_IN[step]) / step / "checkpoint.pt"
    file.write_text("weights")
    return file


@pytest.mark.parametrize("step", KEPT_IN)
def test_the_same_settings_keep_the_checkpoint_wherever_it_lies(step: str, root: Path, tmp_path: Path) -> None:
    file = begun(step, root)
    settle(words(step, root, "--minutes", "9"))
    assert file.is_file()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("work", "arrays", "target", "teacher"):
        if (root / name).exists():
            shutil.move(root / name, moved / name)
    settle(words(step, moved))
    assert (moved / file.relative_to(root)).is_file()


@pytest.mark.parametrize("step", KEPT_IN)
@pytest.mark.parametrize("change", [("--seed", "7"), ("--steps", "9"), ("--longest", "11"), ("--threads", "2")])
def test_another_option_begins_anew(step: str, change: tuple[str, str], root: Path) -> None:
    file = begun(step, root)
    settle(words(step, root, *change))
    assert not file.exists() and (file.parent / "made_from.json").is_file()


@pytest.mark.parametrize("step", KEPT_IN)
def test_another_byte_in_any_file_it_reads_begins_anew(step: str, root: Path) -> None:
    for path in files_read(words(step, root)).values():
        file = begun(step, root)
        path.write_text(path.read_text() + "x")
        settle(words(step, root))
        assert not file.exists(), path


def test_a_checkpoint_of_unknown_making_is_not_gone_on_with(root: Path) -> None:
    file = begun("units", root)
    (file.parent / "made_from.json").unlink()
    settle(words("units", root))
    assert not file.exists()


def test_an_earlier_base_to_begin_from_counts_by_its_bytes(root: Path) -> None:
    for name, text in (("one", "a"), ("same", "a"), ("other", "b")):
        (root / name).mkdir()
        (root / name / "content.safetensors").write_text(text)
    one, same, other, none = (
        made_from(words("content", root, *(["--start", str(root / name)] if name else [])))
        for name in ("one", "same", "other", "")
    )
    assert one == same and one != other and one != none
