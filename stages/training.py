"""What the two training stages share: accepted segments with their tensors, step counts, where checkpoints lie."""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from stages.common import VoicePaths
from stages.params import TrainAcoustic, TrainSemantic
from voice.contracts import Aligned, Features, read_table
from voice.errors import UserError
from voice.files import sha256_code, sha256_file
from voice.train.batching import Epochs
from voice.train.schedule import warm_cosine
from voice.weights import load_tensors

KEPT_RUNS = 6
RUNS = Path(".cache/train")
HERE = Path(__file__).parent
LIBRARY = Path(inspect.getfile(UserError)).parent
CODE = (LIBRARY / "train", LIBRARY / "nets", LIBRARY / "mel.py", *sorted(HERE.glob("train*.py")))
Settings = TrainSemantic | TrainAcoustic


@dataclass(frozen=True)
class Segment:
    """One accepted segment: its row of the aligned table and its tensors."""

    name: str
    split: str
    text: str
    lang: str
    seconds: float
    score: float
    phones: torch.Tensor
    tokens: torch.Tensor
    wav: torch.Tensor


def read_segments(place: VoicePaths) -> list[Segment]:
    """Every accepted segment of a voice. Raises UserError when none is left for training or none is held out."""
    aligned = read_table(place.aligned, Aligned).set_index("id", drop=False)
    features = read_table(place.features_table, Features)
    shards = {name: load_tensors(place.features / name)[0] for name in sorted(set(features["shard"]))}
    out = []
    for shard, name in zip(features["shard"], features["id"], strict=True):
        row = aligned.loc[name]
        out.append(
            Segment(
                name=name,
                split=row["split"],
                text=row["text"],
                lang=row["lang"],
                seconds=float(row["seconds"]),
                score=float(row["score"]),
                phones=torch.tensor(row["ids"]),
                tokens=shards[shard][f"{name}.tokens"].long(),
                wav=shards[shard][f"{name}.wav"].float() / 32768,
            )
        )
    for split in ("train", "held_out"):
        if not any(item.split == split for item in out):
            raise UserError(
                f"{place.aligned}: no segment is in split {split}",
                f"see {place.rejected} for what was rejected, or record more",
            )
    return out


def steps(settings: Settings, segments: int) -> int:
    """Optimiser steps: epochs over the segments, at most `max_steps`."""
    count = settings.epochs * -(-segments // settings.batch_size)
    return min(count, settings.max_steps or count)


def rate(settings: Settings, total: int) -> Callable[[int], float]:
    """Learning rate at a step: short warm-up, then a cosine down to a tenth."""
    warm = max(1, total // 20)
    return lambda number: settings.learning_rate * warm_cosine(number, total, warm=warm, floor=0.1)


def order(settings: Settings, segments: int) -> Epochs:
    """Which segments make batch n: every segment once an epoch, in a seeded order."""
    return Epochs([1.0] * segments, settings.batch_size, settings.seed)


def run_folder(stage: str, settings: Settings, threads: int, files: list[Path]) -> Path:
    """Checkpoint folder named by all that decides the result; keeps the newest few and removes older ones."""
    parts = [stage, sha256_code(*CODE), json.dumps(settings.model_dump(), sort_keys=True), str(threads)]
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
    return [place.aligned, place.features_table, *shards, *(base / f"{name}.safetensors" for name in names)]
