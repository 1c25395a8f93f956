"""`reprovoice import` and `export`: a pair of published files in, our folder, the same pair out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from pipeline.cli_official import _counts, _trained, register
from tests.voice.test_official_files import exported, listed, s1_file, s2_file, thin
from voice.errors import UserError
from voice.files import sha256_file
from voice.nets.acoustic import Acoustic
from voice.nets.semantic import Semantic
from voice.official_files import read_official
from voice.weights import load_tensors, read_meta

PARTS = {"semantic.safetensors", "acoustic.safetensors", "import.json"}


def run(*arguments: object) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refusal(*arguments: object) -> str:
    """The error that `reprovoice` prints as one line, ending with status 2."""
    done = run(*arguments)
    assert isinstance(done.exception, UserError) and done.stdout == "", done.output
    assert "\n" not in str(done.exception)
    return str(done.exception)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A pair of v2Pro, small as files: every tensor repeats one value."""
    folder = tmp_path_factory.mktemp("pair")
    s1 = s1_file(folder / "bea-e15.ckpt", thin(listed("s1", "v2Pro")), head=16)
    return s1, s2_file(folder / "bea_e8_s592.pth", thin(exported(listed("s2", "v2Pro"))), "v2Pro")


@pytest.fixture(scope="module")
def imported(pair: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("in") / "bea"
    done = run("import", "--gpt", pair[0], "--sovits", pair[1], "--out", folder, "--json")
    assert done.exit_code == 0, done.output
    return folder, done


def test_import_writes_our_files_and_a_record_of_where_they_are_from(
    pair: tuple[Path, Path], imported: tuple[Path, Result]
) -> None:
    folder, done = imported
    assert {path.name for path in folder.iterdir()} == PARTS
    record = json.loads((folder / "import.json").read_text())
    assert json.loads(done.stdout) == record | {"out": str(folder)}
    assert (record["version"], record["posterior"]) == ("v2Pro", False)
    facts = (("gpt", pair[0], 295, 77_606_402, "GPT-e15"), ("sovits", pair[1], 678, 67_361_921, "8epoch_592iteration"))
    for source, path, tensors, elements, info in facts:
        assert record["sources"][source] == {
            "file": path.name, "bytes": path.stat().st_size, "sha256": sha256_file(path), "precision": "float16",
            "tensors": tensors, "elements": elements, "info": info, "max_rounding": 0.0,
        }  # fmt: skip
    assert done.stderr.count("\n") == 1 and "a consent record is needed before this voice is trained" in done.stderr
    meta = read_meta(folder / "acoustic.safetensors")
    assert meta["kind"] == "acoustic" and meta["base"] == "official-v2pro" and not meta["config"]["posterior"]
    wanted = {"file": pair[1].name, "sha256": sha256_file(pair[1]), "info": "8epoch_592iteration"}
    assert meta["source"] == wanted | {"epoch": 8, "step": 592}
    for path in folder.iterdir():
        assert str(pair[0].parent).encode() not in path.read_bytes() and b"someone" not in path.read_bytes()


def test_export_gives_the_same_pair_back(
    pair: tuple[Path, Path], imported: tuple[Path, Result], tmp_path: Path
) -> None:
    done = run("export", imported[0], "--format", "official", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    files = [tmp_path / "out" / path.name for path in pair]
    assert sorted((tmp_path / "out").iterdir()) == sorted(files) and record["version"] == "v2Pro"
    assert record["files"] == [
        {"file": str(path), "bytes": path.stat().st_size, "sha256": sha256_file(path)} for path in files
    ]
    for path, first in zip(files, pair, strict=True):
        found, wanted = read_official(path, "v2Pro"), read_official(first)
        assert found.info == wanted.info and found.weights.keys() == wanted.weights.keys()
        assert all(bool((found.weights[key] == tensor).all()) for key, tensor in wanted.weights.items())
    again = run("import", "--gpt", files[0], "--sovits", files[1], "--version", "v2Pro", "--out", tmp_path / "again")
    assert again.exit_code == 0, again.output
    assert again.stdout.startswith(
        f"{tmp_path / 'again'}: v2Pro, posterior not in the file\nbea-e15.ckpt: float16, 295"
    )
    for part in ("semantic.safetensors", "acoustic.safetensors"):
        one, other = (load_tensors(folder / part)[0] for folder in (imported[0], tmp_path / "again"))
        assert one.keys() == other.keys() and all(bool((other[key] == tensor).all()) for key, tensor in one.items())


def test_a_folder_with_something_in_it_is_kept_unless_forced(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    options = ("--gpt", pair[0], "--sovits", pair[1], "--out", tmp_path / "out")
    assert "out: not empty" in refusal("import", *options)
    assert "out: not empty" in refusal("export", tmp_path, "--out", tmp_path / "out")
    assert "notes.txt: a file, not a folder" in refusal("export", tmp_path, "--out", tmp_path / "out" / "notes.txt")
    assert run("import", *options, "--force").exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == PARTS | {"notes.txt"}


def test_mistakes_are_refused_and_leave_nothing(pair: tuple[Path, Path], tmp_path: Path) -> None:
    s1, s2 = pair
    out = tmp_path / "out"
    assert "kind is acoustic, expected semantic" in refusal("import", "--gpt", s2, "--sovits", s1, "--out", out)
    assert "you say v2" in refusal("import", "--gpt", s1, "--sovits", s2, "--version", "v2", "--out", out)
    cut = tmp_path / "cut.pth"
    cut.write_bytes(s2.read_bytes()[:-200])
    assert "cut.pth: cut short" in refusal("import", "--gpt", s1, "--sovits", cut, "--out", out)
    mini = tmp_path / "mini"
    Semantic().save(mini / "semantic.safetensors")
    Acoustic().save(mini / "acoustic.safetensors")
    assert "mini: its sizes are not a published version's" in refusal("export", mini, "--out", out)
    assert "--format pdf: unknown" in refusal("export", mini, "--format", "pdf", "--out", out)
    assert "no such weights file" in refusal("export", tmp_path / "none", "--out", out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("info", "counts"),
    [
        ("GPT-e15", {"epoch": 15}),
        ("8epoch_592iteration", {"epoch": 8, "step": 592}),
        ("8epoch", {"epoch": 8}),
        ("", {}),
        ("GPT-e15 of /home/someone", {}),
    ],
)
def test_epoch_and_step_are_taken_from_the_info(info: str, counts: dict[str, int]) -> None:
    assert _counts(info) == counts
    assert _trained({"source": {"info": info} | counts}) == (counts.get("epoch"), counts.get("step", 0))


def test_of_our_own_trainings_the_chosen_step_is_taken() -> None:
    assert _trained({"chosen": {"step": 400, "why": "x"}, "source": {"epoch": 8}}) == (None, 400)
    assert _trained({}) == (None, 0)
