"""What a training reached: held-out loss before the first step (the base) and of the chosen weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from voice.contracts import Loss
from voice.errors import UserError
from voice.tables import read_table
from voice.weights import read_meta

COLUMN = "valid_loss"


@dataclass(frozen=True)
class Curve:
    """A loss table with the held-out loss of the base (step 0) and that of the step whose weights were kept."""

    table: pd.DataFrame
    base: float
    tuned: float
    step: int


def read_curve(path: Path, weights: Path) -> Curve:
    """Read a loss table, and from the metadata of `weights` which of its steps they are.

    Raises UserError when the table is off contract or lacks `valid_loss` at step 0 or at that step.
    """
    table = read_table(path, Loss)
    if COLUMN not in table or table["step"].iloc[0] != 0 or pd.isna(table[COLUMN].iloc[0]):
        raise UserError(f"{path}: {COLUMN}: a row for step 0 is needed", "delete it and run `dvc repro`")
    step = read_meta(weights).get("chosen", {}).get("step")
    measured = table[table["step"] == step][COLUMN].dropna()
    if measured.empty:
        raise UserError(
            f"{path}: {COLUMN}: no value at step {step}, which {weights} are of", "delete both and run `dvc repro`"
        )
    return Curve(table, float(table[COLUMN].iloc[0]), float(measured.iloc[0]), int(step))
