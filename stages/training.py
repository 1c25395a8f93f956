"""What the two training stages share: step counts, learning rates, where checkpoints lie."""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from stages.common import VoicePaths
from stages.params import TrainAcoustic, TrainSemantic
from voice.errors import UserError
from voice.files import sha256_code, sha256_file
from voice.train.batching import Epochs
from voice.train.schedule import exponential, warm_cosine

KEPT_RUNS = 6
RUNS = Path(".cache/train")
HERE = Path(__file__).parent
LIBRARY = Path(inspect.getfile(UserError)).parent
CODE = (LIBRARY / "train", LIBRARY / "nets", LIBRARY / "mel.py", *sorted(HERE.glob("*train*.py")))
Settings = TrainSemantic | TrainAcoustic


def epoch_steps(settings: Settings, segments: int) -> int:
    """Optimiser steps that see every segment once."""
    gathered = settings.accumulate if isinstance(settings, TrainSemantic) else 1
    return -(-segments // (settings.batch_size * gathered))


def steps(settings: Settings, segments: int) -> int:
    """Optimiser steps: epochs over the segments, at most `max_steps`."""
    count = settings.epochs * epoch_steps(settings, segments)
    return min(count, settings.max_steps or count)


def rate(settings: Settings, total: int, segments: int) -> Callable[[int], float]:
    """Learning rate at a step: after a short warm-up a cosine down to a tenth, or a slow fall from epoch to epoch."""
    warm = max(1, total // 20)
    if settings.schedule == "exponential":
        return lambda number: settings.learning_rate * exponential(number, epoch_steps(settings, segments))
    return lambda number: settings.learning_rate * warm_cosine(number, total, warm=warm, floor=0.1)


def order(settings: Settings, segments: int) -> Epochs:
    """Which segments make batch n: every segment once an epoch, in a seeded order."""
    return Epochs([1.0] * segments, settings.batch_size, settings.seed)


def run_folder(stage: str, settings: Settings, threads: int, files: list[Path]) -> Path:
    """Checkpoint folder named by all that decides the result; keeps the newest few and removes older ones."""
    trained = settings.model_dump(exclude={"blend"})  # done after the training
    parts = [stage, sha256_code(*CODE), json.dumps(trained, sort_keys=True), str(threads)]
    parts += [sha256_file(file) for file in files]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]
    folder = RUNS / key
    folder.mkdir(parents=True, exist_ok=True)
    old = sorted((f for f in RUNS.iterdir() if f.is_dir() and f != folder), key=lambda f: f.stat().st_mtime)
    for stale in old[: max(0, len(old) - KEPT_RUNS)]:
        shutil.rmtree(stale, ignore_errors=True)
    return folder


def inputs(place: VoicePaths, base: Path, names: tuple[str, ...]) -> list[Path]:
    """Files whose content decides the result of a training."""
    shards = sorted(place.features.glob("*.safetensors"))
    weights = [base / f"{name}.safetensors" for name in names]
    return [place.aligned, place.features_table, *shards, *(file for file in weights if file.is_file())]
