"""The training loop shared by pretraining and fine-tuning: steps, logs, checkpoints, resume, best snapshot.

Everything random in step n comes from (seed, n), so a run that was killed and resumed gives the same weights
as one that was not. Checkpoints are the caller's business to place: they are caches, never outputs.
"""

from __future__ import annotations

import io
import json
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from tqdm import tqdm

from voice.files import write_bytes, write_text


class Trainer(Protocol):
    """What the loop drives. `validate` may return {} when there is nothing held out."""

    def step(self, number: int) -> dict[str, float]: ...

    def validate(self) -> dict[str, float]: ...

    def state(self) -> dict[str, Any]: ...

    def load_state(self, state: dict[str, Any]) -> None: ...

    def snapshot(self) -> dict[str, torch.Tensor]: ...


@dataclass
class History:
    """Outcome of a run: one row per logged step, the validation that was chosen and its snapshot."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best_step: int = 0
    best_loss: float = float("inf")
    base_loss: float = float("nan")
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    keep: str = "best"

    def choice(self) -> dict[str, Any]:
        """Which step was kept and why, for the metadata of the weights."""
        gain = f"held-out loss {self.base_loss:.4f} at the base, {self.best_loss:.4f} at step {self.best_step}"
        rule = "the lowest of the run" if self.keep == "best" else "the last of the run"
        return {
            "step": self.best_step,
            "base_loss": round(self.base_loss, 6),
            "best_loss": round(self.best_loss, 6),
            "why": f"{gain}: {rule}",
        }


def seed_step(seed: int, number: int) -> None:
    """Seed every generator from (seed, step number)."""
    mixed = (seed * 1_000_003 + number * 7919) % (2**31)
    torch.manual_seed(mixed)
    np.random.seed(mixed)
    random.seed(mixed)


def _save(path: Path, value: dict[str, Any]) -> None:
    # Through memory: on a full disk torch's own writer raises a RuntimeError without errno and hides the cause.
    buffer = io.BytesIO()
    torch.save(value, buffer)
    write_bytes(path, buffer.getvalue())


def train(
    trainer: Trainer,
    steps: int,
    folder: Path,
    *,
    seed: int,
    log_every: int = 10,
    save_every: int = 100,
    validate_every: int = 0,
    loss_key: str = "loss",
    keep: Literal["best", "last"] = "best",
    minutes: float | None = None,
    desc: str = "train",
) -> History:
    """Run `trainer` to `steps`, resuming from `folder/checkpoint.pt` when it is there.

    Validates before the first step (the base), then every `validate_every` steps and at the end; the snapshot with
    the lowest `valid_<loss_key>` is kept, or the last one. `minutes` ends the run early (pretraining on a time
    budget only).
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "checkpoint.pt"
    history = History(keep=keep)
    start = 0
    if file.is_file():
        saved = torch.load(file, map_location="cpu", weights_only=True)
        trainer.load_state(saved["trainer"])
        start, history = saved["step"], History(**saved["history"])
        print(f"{desc}: resuming at step {start} of {steps}", flush=True)

    def validate(number: int, row: dict[str, float]) -> None:
        seed_step(seed, 0)
        found = {f"valid_{key}": value for key, value in trainer.validate().items()}
        row |= found
        loss = found.get(f"valid_{loss_key}")
        if loss is not None:
            if number == 0:
                history.base_loss = loss
            if loss < history.best_loss or keep == "last":
                history.best_step, history.best_loss, history.best = number, loss, trainer.snapshot()

    if start == 0 and validate_every:
        row: dict[str, float] = {"step": 0}
        validate(0, row)
        history.rows.append(row)
    began = time.monotonic()
    sums: dict[str, float] = {}
    count = 0
    bar = tqdm(range(start + 1, steps + 1), desc=desc, initial=start, total=steps, disable=not sys.stderr.isatty())
    for number in bar:
        seed_step(seed, number)
        for key, value in trainer.step(number).items():
            sums[key] = sums.get(key, 0.0) + value
        count += 1
        last = number == steps or (minutes is not None and time.monotonic() - began > 60 * minutes)
        checked = bool(validate_every) and (number % validate_every == 0 or last)
        if number % log_every == 0 or checked or last:
            row = {"step": number} | {key: value / count for key, value in sums.items()}
            if checked:
                validate(number, row)
            history.rows.append(row)
            sums, count = {}, 0
            bar.set_postfix({k: f"{v:.3f}" for k, v in row.items() if k in (loss_key, f"valid_{loss_key}")})
            if not sys.stderr.isatty():
                left = (time.monotonic() - began) / (number - start) * (steps - number)
                print(f"{desc}: {format_row(row)} eta={left / 60:.1f}min", flush=True)
        if number % save_every == 0 or last:
            _save(file, {"step": number, "trainer": trainer.state(), "history": history.__dict__})
        if last:
            break
    return history


def format_row(row: dict[str, float]) -> str:
    """One log line: step and losses to four digits."""
    return " ".join(f"{k}={int(v)}" if k == "step" else f"{k}={v:.4g}" for k, v in row.items())


def write_history(path: Path, rows: list[dict[str, float]]) -> None:
    """Loss curve as TSV: `step` first, other columns sorted, empty where a row lacks a value."""
    keys = ["step", *sorted({key for row in rows for key in row} - {"step"})]
    lines = ["\t".join(keys)]
    for row in rows:
        values = [str(int(row["step"])), *("" if k not in row else json.dumps(round(row[k], 6)) for k in keys[1:])]
        lines.append("\t".join(values))
    write_text(path, "\n".join(lines) + "\n")
