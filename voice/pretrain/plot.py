"""Loss curves of every training below a work folder, finished or not, in one picture."""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import torch

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from voice.errors import UserError

PARTS = ("content", "realign", "units", "envelope", "acoustic", "semantic")


def draw(work: Path, first: Path | None = None) -> Path:
    """Write `work/loss.png`: one panel a training of `work` and `first`, training and held-out loss.

    Raises UserError when there is none.
    """
    files = [(name, folder / name / "checkpoint.pt") for name in PARTS for folder in (first, work) if folder]
    runs = [(name, file) for name, file in files if file.is_file()]
    if not runs:
        raise UserError(f"{work}: no training here yet", "run a training step first")
    figure, panels = plt.subplots(1, len(runs), figsize=(4.5 * len(runs), 3.2), squeeze=False)
    for panel, (name, file) in zip(panels[0], runs, strict=True):
        rows = torch.load(file, map_location="cpu", weights_only=True)["history"]["rows"]
        for key in ("loss", "valid_loss"):
            points = [(row["step"], row[key]) for row in rows if key in row]
            if points:
                panel.plot(*zip(*points, strict=True), label=key)
        panel.set(title=name, xlabel="step")
        panel.legend()
    figure.tight_layout()
    target = work / "loss.png"
    figure.savefig(target, dpi=110)
    plt.close(figure)
    return target


def run(args: argparse.Namespace) -> None:
    """Draw and print where."""
    print(draw(args.work, args.first))
