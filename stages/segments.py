"""Accepted segments of a voice with their tensors, as training and evaluation read them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stages.common import VoicePaths
from voice.contracts import Aligned, Features
from voice.errors import UserError
from voice.tables import read_table
from voice.weights import load_tensors


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
    bert: torch.Tensor | None
    speaker: torch.Tensor | None


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
                bert=_optional(shards[shard], f"{name}.bert"),
                speaker=_optional(shards[shard], f"{name}.speaker"),
            )
        )
    for split in ("train", "held_out"):
        if not any(item.split == split for item in out):
            raise UserError(
                f"{place.aligned}: no segment is in split {split}",
                f"see {place.rejected} for what was rejected, or record more",
            )
    return out


def _optional(shard: dict[str, torch.Tensor], name: str) -> torch.Tensor | None:
    return shard[name].float() if name in shard else None
