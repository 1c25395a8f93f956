"""Loss curves of every training below a work folder, in one picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import torch

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from voice.errors import UserError

PARTS = ("content", "refine", "autoencoder", "acoustic", "semantic")


def draw(work: Path) -> Path:
    """Write `work/loss.png`: one panel a training, training and held-out loss. Raises UserError when none exists."""
    runs = [(name, work / name / "checkpoint.pt") for name in PARTS if (work / name / "checkpoint.pt").is_file()]
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
