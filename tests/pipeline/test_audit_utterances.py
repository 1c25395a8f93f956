"""What became of each utterance, from the tables the stages left; and how often training really took it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audit.chain import Link, Step
from pipeline.audit.devices import UNKNOWN, trained_on
from pipeline.audit.exposure import chosen_step, exposure, times_seen
from pipeline.audit.project import open_project
from pipeline.audit.utterances import EDITS, Utterance, read_utterances
from voice.edits import EDITS_FILE, append_edit, make_edit
from voice.train.batching import Epochs


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**31 - 1), st.integers(0, 120))
def test_times_seen_are_those_of_the_order_that_training_takes(count: int, size: int, seed: int, batches: int) -> None:
    epochs = Epochs([1.0] * count, size, seed)
    seen = [0] * count
    for number in range(batches):
        for index in epochs.batch(number):
            seen[index] += 1
    assert times_seen(count, size, seed, batches) == seen


def write_weights(path: Path, step: int | None) -> None:
    told = {} if step is None else {"__metadata__": {"reprovoice": json.dumps({"chosen": {"step": step}})}}
    header = json.dumps(told).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def test_what_is_not_determined_is_unknown(tmp_path: Path) -> None:
    weights = tmp_path / "semantic.safetensors"
    settings = {"batch_size": 2, "seed": 1, "accumulate": 2, "official": {"batch_size": 1}}
    write_weights(weights, 3)
    found = exposure(["a", "b", "c"], settings, "mini", weights)
    assert found is not None and sum(found.values()) == 3 * 2 * 2 - 3  # the odd batch of each epoch has one
    official = exposure(["a", "b", "c"], settings, "official-v2", weights)
    assert official is not None and sum(official.values()) == 3 * 2
    assert exposure(["a"], {"seed": 1}, "mini", weights) is None
    write_weights(weights, None)
    assert chosen_step(weights) is None and exposure(["a"], settings, "mini", weights) is None
    weights.write_bytes(b"PK\3\4 not safetensors at all")
    assert chosen_step(weights) is None and chosen_step(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("semantic", "acoustic", "said"),
    [
        (("cpu",), ("cpu",), "cpu, torch 2.1"),
        (
            ("cpu",),
            ("unknown", "NVIDIA [H200]"),
            "semantic cpu, torch 2.1; acoustic unknown then NVIDIA [H200], torch 2.1",
        ),
        (("cpu",), None, f"semantic cpu, torch 2.1; acoustic {UNKNOWN}"),
        (None, None, UNKNOWN),
    ],
)
def test_devices_are_those_that_the_weights_name(
    tmp_path: Path, semantic: tuple[str, ...] | None, acoustic: tuple[str, ...] | None, said: str
) -> None:
    steps = []
    for name, devices in (("semantic", semantic), ("acoustic", acoustic)):
        told = {} if devices is None else {"devices": devices, "torch": "2.1"}
        header = json.dumps({"__metadata__": {"reprovoice": json.dumps({"chosen": {"step": 1} | told})}}).encode()
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(len(header).to_bytes(8, "little") + header)
        out = Link(path.name, "output", None, None)
        steps.append(Step(f"train_{name}@ann", "", False, (), (), (), (out,)))
    assert trained_on(tmp_path, steps) == said
    (tmp_path / "semantic.safetensors").write_bytes(b"damaged")
    assert UNKNOWN in trained_on(tmp_path, steps)


def write_tables(root: Path) -> None:
    folder = root / "data/ann"

    def table(name: str, *rows: dict[str, object]) -> None:
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def span(number: int) -> dict[str, object]:
        return {"id": f"rec-{number}", "recording": "rec", "start": 5.0 * number, "end": 5.0 * number + 4}

    words = {"text": "hi", "lang": "en", "score": 0.9, "draft": False, "edited": False}
    table("recordings", {"id": "rec", "file": "recording.flac", "sha256": "0" * 64})
    table("recordings.rejected", {"id": "bad", "file": "bad.flac", "reason": "silent", "detail": "no sound"})
    table("segments", *map(span, range(5)))
    table("segments.rejected", {**span(6), "id": "noise-1", "reason": "too_noisy", "detail": "3 dB"})
    table("aligned", {**span(0), **words, "split": "train"}, {**span(1), **words, "split": "held_out"})
    table("aligned.rejected", {**span(2), "text": "", "score": 0.0, "reason": "reviewer", "detail": "a cough"})
    table("features", {"id": "rec-0", "shard": "shard-000.safetensors"})


def test_every_segment_has_a_fate_and_every_exclusion_a_stage_and_a_reason(built: Path) -> None:
    write_tables(built)
    edit = make_edit(
        recording="rec", start=10.0, end=14.0, action="reject", who="Ana", when="2026-01-31T12:00:00+00:00", why="cough"
    )
    assert EDITS == EDITS_FILE
    append_edit(built / "data/raw/ann" / EDITS_FILE, edit)
    with open_project(built) as project:
        found = read_utterances(project, "ann")
    rows: dict[str, Utterance] = {row.id: row for row in found.rows}
    assert found.fates() == {"train": 1, "held_out": 1, "excluded": 3, "cut": 2} and found.notes == ()
    assert (rows["rec-0"].file, rows["rec-0"].start, rows["rec-0"].end) == ("data/raw/ann/recording.flac", 0.0, 4.0)
    assert rows["rec-0"].shard == "shard-000.safetensors" and rows["rec-0"].times == {}
    why = {row.id: (row.stage, row.reason) for row in found.rows if row.fate == "excluded"}
    assert why == {"bad": ("ingest", "silent"), "noise-1": ("slice", "too_noisy"), "rec-2": ("align", "reviewer")}
    assert [(item["who"], item["why"]) for item in rows["rec-2"].edits] == [("Ana", "cough")]


@pytest.mark.parametrize("damage", [b'{"id": "rec-0"', b"[1]\n", b'{"no": 1}\n', b"\xff\xfe"])
def test_a_damaged_table_is_told_and_the_rest_is_answered(built: Path, damage: bytes) -> None:
    write_tables(built)
    (built / "data/ann/aligned.jsonl").write_bytes(damage)
    with open_project(built) as project:
        found = read_utterances(project, "ann")
    assert len(found.notes) == 1 and found.notes[0].startswith("data/ann/aligned.jsonl: cannot be read")
    assert "cut" in found.fates()
