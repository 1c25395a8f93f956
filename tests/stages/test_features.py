"""Stage `features` over real speech with untrained networks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages import features, pretrained
from stages.common import paths
from stages.segments import read_segments
from tests.stages.conftest import Project
from voice.audio import read_audio, write_flac
from voice.contracts import Aligned, Features
from voice.features import f0_summary
from voice.files import write_text
from voice.mel import log_mel
from voice.nets.acoustic import AcousticConfig
from voice.nets.hubert import ContentEncoder
from voice.tables import read_table, write_table
from voice.text import read_text
from voice.weights import load_tensors

PLACE = paths("demo_en")
SECONDS = 2.5
TEXTS = ("The old harbour was quiet.", "Boats came home.", "Rain fell all night.", "She sold bread.", "It was late.")
DEFAULTS = AcousticConfig()
Rows = list[dict[str, Any]]


def write_aligned(rows: Rows) -> None:
    write_table(PLACE.aligned, rows, Aligned)


def aligned_row(number: int, text: str) -> dict[str, Any]:
    reading = read_text(text, "en")
    return {
        "id": f"r-{number:04d}", "recording": "r", "start": number * SECONDS, "end": (number + 1) * SECONDS,
        "seconds": SECONDS, "text": text, "lang": "en", "words": list(reading.words), "word2ph": list(reading.word2ph),
        "phones": list(reading.phones), "ids": list(reading.ids), "score": 0.5, "phones_per_second": 5.0,
        "draft": False, "edited": False, "split": "held_out" if number == 1 else "train",
    }  # fmt: skip


@pytest.fixture
def ready(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose segments are the first seconds of the recording, aligned with made-up text."""
    project.stage(pretrained.main, None)
    wave, rate = read_audio(project.raw / "recording.flac")
    size = int(SECONDS * rate)
    rows = [aligned_row(number, text) for number, text in enumerate(TEXTS)]
    for number, row in enumerate(rows):
        write_flac(PLACE.segments / f"{row['id']}.flac", wave[number * size : (number + 1) * size], rate)
    write_aligned(rows)
    write_text(PLACE.lexicon, "{}")
    monkeypatch.setattr(features, "worker_count", lambda threads: 1)  # tests change the networks of this process
    return project


def outputs() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in [*PLACE.features.iterdir(), PLACE.features_table]}


def test_tensors_match_their_table_and_come_from_the_cache_the_second_time(
    ready: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.edit(lambda params: params["features"].update(shard_segments=2))
    ready.stage(features.main)
    first = outputs()
    table = read_table(PLACE.features_table, Features)
    assert "5 segments, 5 computed, 0 from" in capsys.readouterr().out
    assert sorted(first) == ["features.jsonl", *(f"shard-{n:03d}.safetensors" for n in range(3))]
    assert list(table["shard"].str[6:9]) == ["000", "000", "001", "001", "002"]
    for row in table.to_dict(orient="records"):
        tensors, _ = load_tensors(PLACE.features / row["shard"])
        ssl, tokens, wav, mel = (tensors[f"{row['id']}.{part}"] for part in ("ssl", "tokens", "wav", "mel"))
        assert ssl.shape == (row["frames"], 32) and ssl.dtype == torch.float16 and row["dtype"] == "float16"
        assert tokens.shape == (row["frames"] // 2,) and tokens.dtype == torch.int32 and int(tokens.max()) < 32
        assert len(wav) == row["samples"] == round(row["seconds"] * 24000) and wav.dtype == torch.int16
        assert abs(row["frames"] - len(wav) // 480) <= 1
        c = DEFAULTS
        true = log_mel(wav[None].float() / 32768, c.sample_rate, c.n_fft, c.hop, c.win, c.mels)[0]
        assert mel.dtype == torch.float16 and torch.allclose(mel.float(), true, atol=0.01)
        assert 50 < row["f0_median_hz"] < 500 and 0.1 < row["voiced_share"] < 1 and row["f0_iqr_hz"] > 1
    ready.stage(features.main)
    assert "5 segments, 0 computed, 5 from" in capsys.readouterr().out
    assert outputs() == first


def test_a_change_costs_what_it_changes(ready: Project, capsys: pytest.CaptureFixture[str]) -> None:
    rows: Rows = read_table(PLACE.aligned, Aligned).to_dict(orient="records")  # type: ignore[assignment]
    write_aligned(rows[:4])
    changed = [*rows[:3], aligned_row(3, "She sold apples.")]
    for now, said in (
        (rows[:4], "4 segments, 4 computed, 0 from"),
        (rows, "5 segments, 1 computed, 4 from"),
        (changed, "4 segments, 1 computed, 3 from"),
        ([rows[1], changed[3]], "2 segments, 0 computed, 2 from"),
    ):
        write_aligned(now)
        ready.stage(features.main)
        assert said in capsys.readouterr().out
        assert list(read_table(PLACE.features_table, Features)["id"]) == [row["id"] for row in now]


@pytest.mark.slow
def test_several_processes_write_the_same_bytes(
    ready: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.stage(features.main)
    alone = outputs()
    for path in Path(".cache/items/features").iterdir():
        path.unlink()
    monkeypatch.setattr(features, "worker_count", lambda threads: 2)
    capsys.readouterr()
    ready.stage(features.main)
    assert "5 segments, 5 computed, 0 from" in capsys.readouterr().out and outputs() == alone


def test_shards_are_written_when_they_are_full(ready: Project) -> None:
    ready.stage(features.main)
    tensors, _ = load_tensors(PLACE.features / "shard-000.safetensors")
    row: dict[str, Any] = read_table(PLACE.features_table, Features).iloc[0].to_dict()
    (PLACE.features / "shard-000.safetensors").unlink()

    def found() -> Iterator[tuple[dict[str, Any], tuple[dict[str, Any], dict[str, torch.Tensor]]]]:
        for number in range(7):
            assert len(list(PLACE.features.iterdir())) == max(0, number - 1) // 3
            yield {"id": f"s{number}", "phones": [1], "seconds": 2.5}, (row, {"wav": tensors["r-0000.wav"].clone()})

    rows = features._store(PLACE, found(), 3, {})
    assert [item["shard"] for item in rows] == [f"shard-{n // 3:03d}.safetensors" for n in range(7)]
    assert set(load_tensors(PLACE.features / "shard-002.safetensors")[0]) == {"s6.wav"}


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set what is added to the first content frame of every segment."""
    true = ContentEncoder.features

    def use(more: float) -> None:
        def changed(self: ContentEncoder, wav: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            ssl, count = true(self, wav)
            ssl[:, 0, 0] += more
            return ssl, count

        monkeypatch.setattr(ContentEncoder, "features", changed)

    return use


def test_frames_that_float16_cannot_hold_are_kept_as_float32(ready: Project, frames: Any) -> None:
    frames(1e6)
    ready.stage(features.main)
    table = read_table(PLACE.features_table, Features)
    assert set(table["dtype"]) == {"float32"} and (table["hi"] > 9e5).all()
    shard, _ = load_tensors(PLACE.features / "shard-000.safetensors")
    ssl = shard["r-0000.ssl"]
    assert ssl.dtype == torch.float32 and bool(torch.isfinite(ssl).all()) and float(ssl[0, 0]) > 9e5
    assert [segment.name for segment in read_segments(PLACE)] == list(table["id"])


def test_frames_that_are_not_finite_stop_the_stage_and_are_not_kept(
    ready: Project, capsys: pytest.CaptureFixture[str], frames: Any
) -> None:
    frames(torch.inf)
    line = ready.refused(features.main, capsys)
    assert "r-0000.flac: ssl: 1 of " in line and "not finite" in line
    assert not any(path.is_file() for path in Path(".cache/items").rglob("*")) and not PLACE.features_table.exists()


def test_what_does_not_belong_together_is_one_line(ready: Project, capsys: pytest.CaptureFixture[str]) -> None:
    rows: Rows = read_table(PLACE.aligned, Aligned).to_dict(orient="records")  # type: ignore[assignment]
    write_aligned([rows[0] | {"text": "Something else."}])
    assert "no longer reads as it was aligned" in ready.refused(features.main, capsys)
    (PLACE.segments / "r-0000.flac").unlink()
    assert "r-0000.flac: no such segment" in ready.refused(features.main, capsys)
    write_flac(PLACE.segments / "r-0000.flac", np.zeros(16000, np.float32), 16000)
    assert "16000 Hz, this base needs 24000" in ready.refused(features.main, capsys)


def test_f0_of_a_known_tone_and_of_silence() -> None:
    time = np.arange(48000) / 24000
    tone = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 6)).astype(np.float32) * 0.2
    tone[24000:] = 0.0
    found = f0_summary(tone, 24000)
    assert found["f0_median_hz"] == pytest.approx(150, rel=0.01) and found["f0_iqr_hz"] < 3  # type: ignore[operator]
    assert found["voiced_share"] == pytest.approx(0.5, abs=0.05)
    silence = {"f0_median_hz": None, "f0_iqr_hz": None, "voiced_share": 0.0}
    assert f0_summary(np.zeros(24000, np.float32), 24000) == silence and json.dumps(silence)
