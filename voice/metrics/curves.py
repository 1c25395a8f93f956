"""What a training reached: held-out loss before the first step (the base) and of the chosen weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from voice.contracts import Loss
from voice.errors import UserError
from voice.tables import read_table

COLUMN = "valid_loss"


@dataclass(frozen=True)
class Curve:
    """A loss table with the held-out loss of the base (step 0) and the lowest one, which was kept."""

    table: pd.DataFrame
    base: float
    tuned: float
    step: int


def read_curve(path: Path) -> Curve:
    """Read a loss table. Raises UserError when it is off contract or lacks `valid_loss` at step 0."""
    table = read_table(path, Loss)
    if COLUMN not in table or table["step"].iloc[0] != 0 or pd.isna(table[COLUMN].iloc[0]):
        raise UserError(f"{path}: {COLUMN}: a row for step 0 is needed", "delete it and run `dvc repro`")
    best = int(table[COLUMN].argmin())
    return Curve(table, float(table[COLUMN].iloc[0]), float(table[COLUMN].iloc[best]), int(table["step"].iloc[best]))
