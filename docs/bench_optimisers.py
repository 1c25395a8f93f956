"""Fine-tune s1 of the mini base with AdamW and with ScaledAdam, and print the held-out losses as a Markdown table.

Reads a built project (stages `pretrained` and `features`), and writes nothing. A voice has few lines, so every line
is held out once: the figures are means over folds. Where the voice is not there, lines made by a formula stand in
for it: their tokens follow from their phones, so there is something to learn.

usage: python docs/bench_optimisers.py --project . --voice demo_en --steps 60
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import torch

from stages.common import base_dir, paths
from stages.segments import read_segments
from voice.nets.semantic import Semantic, SemanticConfig
from voice.train.batching import Epochs
from voice.train.loop import seed_step
from voice.train.schedule import warm_cosine
from voice.train.semantic import Line, SemanticTrainer

RUNS = (("adamw", 3e-5), ("adamw", 1e-4), ("adamw", 3e-4), ("scaled_adam", 2e-3), ("scaled_adam", 1e-2))
SEED = 1234
CHECKS = 6  # validations of a run, besides that of the base


def voice_lines(voice: str, config: SemanticConfig) -> tuple[list[Line], str]:
    """All lines of a voice of the project in the current folder, and what they are."""
    place = paths(voice)
    if place.features_table.is_file():
        return [Line(s.phones, s.tokens) for s in read_segments(place)], f"voice {voice}"
    dice = torch.Generator().manual_seed(SEED)
    made = []
    for _ in range(24):
        phones = torch.randint(0, config.phones, (int(torch.randint(20, 60, (), generator=dice)),), generator=dice)
        made.append(Line(phones, (phones * 7 % config.codes).repeat_interleave(2)))
    return made, "lines made by a formula"


def curve(
    base: Path, lines: list[Line], held: list[Line], optimiser: str, rate: float, steps: int, trainable: list[str]
) -> tuple[dict[int, float], float]:
    """Held-out loss after step 0 (the base) and CHECKS others, and seconds a step."""
    batches = Epochs([1.0] * len(lines), 4, SEED)
    trainer = SemanticTrainer(
        Semantic.load(base / "semantic.safetensors"),
        lambda number: [lines[i] for i in batches.batch(number - 1)],
        held,
        lambda number: rate * warm_cosine(number, steps, warm=max(1, steps // 20), floor=0.1),
        trainable=trainable,
        autocast=False,
        optimiser=optimiser,  # type: ignore[arg-type]
    )
    losses, spent = {0: trainer.validate()["loss"]}, 0.0
    for number in range(1, steps + 1):
        seed_step(SEED, number)
        began = time.perf_counter()
        trainer.step(number)
        spent += time.perf_counter() - began
        if number % max(1, steps // CHECKS) == 0 or number == steps:
            losses[number] = trainer.validate()["loss"]
    return losses, spent / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=Path(), help="folder of a built project")
    parser.add_argument("--voice", default="demo_en")
    parser.add_argument("--base", default="mini")
    parser.add_argument("--steps", type=int, default=60, help="optimiser steps of each run, of 4 lines each")
    parser.add_argument("--folds", type=int, default=3, help="each line is held out in one of so many runs")
    parser.add_argument("--trainable", action="append", help="prefix of what is trained (repeat; default: everything)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    os.chdir(given.project)  # paths of a voice are relative to its project
    base, trainable, folds = base_dir(given.base), given.trainable or [""], given.folds
    lines, what = voice_lines(given.voice, Semantic.load(base / "semantic.safetensors").config)
    parts = "everything" if trainable == [""] else ", ".join(trainable)
    print(f"{what}: {len(lines)} lines in {folds} folds; {given.steps} steps of 4 lines, trained: {parts}\n")
    print("| optimiser | rate | held-out loss, base | after the last step | lowest | s a step |")
    print("|---|---|---|---|---|---|")
    for optimiser, rate in RUNS:
        runs = []
        for fold in range(folds):
            known = [line for n, line in enumerate(lines) if n % folds != fold]
            runs.append(curve(base, known, lines[fold::folds], optimiser, rate, given.steps, trainable))
        losses = {number: sum(found[number] for found, _ in runs) / folds for number in runs[0][0]}
        best = min(losses, key=lambda number: losses[number])
        seconds = sum(spent for _, spent in runs) / folds
        cells = [optimiser, f"{rate:g}", f"{losses[0]:.3f}", f"{losses[given.steps]:.3f}"]
        cells += [f"{losses[best]:.3f} (step {best})", f"{seconds:.2f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
