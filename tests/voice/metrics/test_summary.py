from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from voice.errors import UserError
from voice.metrics.curves import read_curve
from voice.metrics.summary import summarise
from voice.weights import save_tensors


def line(name: str, take: str, edits: int, units: int, **more: object) -> dict[str, object]:
    row = {"line": name, "take": take, "edits": edits, "units": units, "speech_seconds": 2.0, "alignment_score": 0.5,
           "similarity": 0.8, "timbre_correlation": 0.9, "voiced_share": 0.5, "f0_median_hz": 100.0, "f0_iqr_hz": 20.0,
           "mel_distance_db": None, "stop": "eos"}  # fmt: skip
    return row | more


def weights(folder: Path, step: int | None) -> Path:
    file = folder / "weights.safetensors"
    save_tensors(file, {"one": torch.ones(1)}, {} if step is None else {"chosen": {"step": step}})
    return file


def test_errors_are_pooled_over_phones_not_averaged_over_lines() -> None:
    found = summarise(pd.DataFrame([line("a", "tuned", 0, 30), line("b", "tuned", 10, 10)]))
    assert found["phone_error"] == 0.25 and found["rate"] == 10.0 and found["lines_count"] == 2


def test_takes_are_told_apart_and_only_spoken_ones_can_fail() -> None:
    found = summarise(
        pd.DataFrame(
            [
                line("a", "tuned", 1, 10, stop="max_steps"),
                line("a", "base", 5, 10),
                line("a", "real", 2, 10, stop="given"),
                line("a", "copy", 3, 10, stop="given", mel_distance_db=6.0),
            ]
        )
    )
    assert [found[f"phone_error{s}"] for s in ("", "_base", "_real", "_copy")] == [0.1, 0.5, 0.2, 0.3]
    assert found["failed_count"] == 1 and found["failed_count_base"] == 0 and "failed_count_real" not in found
    assert found["mel_distance_db_copy"] == 6.0 and "mel_distance_db" not in found


def test_a_figure_that_no_line_has_is_left_out() -> None:
    found = summarise(pd.DataFrame([line("a", "tuned", 1, 10, f0_median_hz=None, f0_iqr_hz=None)]))
    assert "f0_median_hz" not in found and found["voiced_share"] == 0.5


def test_a_curve_names_base_and_kept_loss(tmp_path: Path) -> None:
    path = tmp_path / "loss.tsv"
    path.write_text("step\tloss\tvalid_loss\n0\t\t5.5\n10\t5.0\t4.5\n15\t4.9\t\n20\t4.0\t4.75\n")
    for step, loss in ((10, 4.5), (20, 4.75)):
        curve = read_curve(path, weights(tmp_path, step))
        assert (curve.base, curve.tuned, curve.step) == (5.5, loss, step)


@pytest.mark.parametrize("step", [15, 30, None])
def test_weights_of_a_step_that_was_not_measured_are_refused(tmp_path: Path, step: int | None) -> None:
    path = tmp_path / "loss.tsv"
    path.write_text("step\tloss\tvalid_loss\n0\t\t5.5\n15\t4.9\t\n20\t4.0\t4.75\n")
    with pytest.raises(UserError, match=rf"loss\.tsv: valid_loss: no value at step {step}"):
        read_curve(path, weights(tmp_path, step))


@pytest.mark.parametrize(
    "text",
    [
        "step\tloss\n0\t1.0\n",
        "step\tvalid_accuracy\n0\t1.0\n",
        "step\tvalid_loss\n5\t1.0\n",
        "step\tvalid_loss\n0\t\n1\t1.0\n",
    ],
)
def test_a_curve_without_the_base_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "loss.tsv"
    path.write_text(text)
    with pytest.raises(UserError, match=r"loss\.tsv: .*valid_"):
        read_curve(path, weights(tmp_path, 1))
