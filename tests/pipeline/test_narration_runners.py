"""A built voice with its real gate: whoever renders the lines, in whatever batches, the files are the same."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from pipeline.engine import DEFAULT_ENGINE, SayOptions
from pipeline.narrate import run_flow
from pipeline.narration import BookOptions
from pipeline.narration.gate import SPEECH_GATE, find_gate, gate_name

CHECKOUT = Path(__file__).resolve().parents[2]
VOICE = "demo_en"
DASK = importlib.util.find_spec("prefect_dask") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.skipif(not (CHECKOUT / "models" / VOICE / "acoustic.safetensors").is_file(), reason="no voice built"),
]
BOOK = """# The Harbour

The boats are home. [pause 0.5s] Who was the first?

- Listen to the wind in the old trees.

# The Letter

Nobody had written for a long time, and nobody would.

[speed=1.2] A short one.
"""


def tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_dask_and_processes_give_the_bytes_of_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    for name in ("params.yaml", "dvc.yaml", "lexicon.yaml", "models", "data"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    (tmp_path / "book.md").write_text(BOOK)
    monkeypatch.chdir(tmp_path)
    gate = gate_name(find_gate(SPEECH_GATE, tmp_path))
    book = BookOptions(formats=("flac", "m4b"), loudness="r128-18", chapters=True)
    trees = {}
    for runner, batch in (("local", 1), ("local", 16), ("processes:2", 2), *([("dask:2", 1)] if DASK else [])):
        script, out = tmp_path / "book.md", tmp_path / "out"
        report = run_flow(script, VOICE, out, SayOptions(), DEFAULT_ENGINE, book, batch=batch, runner=runner)
        assert report.lines >= 7 and report.rendered + report.failed == report.lines and not report.errors
        judged = [path.read_text() for path in (tmp_path / ".cache/items/narrate").glob("*.json")]
        assert len(judged) == report.lines and all(str(gate) in text for text in judged)
        trees[runner, batch] = tree(out)
        shutil.rmtree(out)
        shutil.rmtree(tmp_path / ".cache/items/narrate")
    first = trees["local", 1]
    assert len(first) > 20
    assert {name for name, found in trees.items() if found != first} == set()
    if not DASK:
        pytest.skip("prefect-dask is not installed: the other runners gave the same bytes")
