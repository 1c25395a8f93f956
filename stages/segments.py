"""Accepted segments of a voice with their tensors, as training and evaluation read them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
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
    out = []
    for shard, rows in features.groupby("shard", sort=False):
        tensors, _ = load_tensors(place.features / str(shard))  # one at a time: most of it is not needed here
        out += [_segment(aligned.loc[name], tensors) for name in rows["id"]]
    for split in ("train", "held_out"):
        if not any(item.split == split for item in out):
            raise UserError(
                f"{place.aligned}: no segment is in split {split}",
                f"see {place.rejected} for what was rejected, or record more",
            )
    return out


def _segment(row: pd.Series, tensors: dict[str, torch.Tensor]) -> Segment:
    name = row["id"]
    return Segment(
        name=name,
        split=row["split"],
        text=row["text"],
        lang=row["lang"],
        seconds=float(row["seconds"]),
        score=float(row["score"]),
        phones=torch.tensor(row["ids"]),
        tokens=tensors[f"{name}.tokens"].long(),
        wav=tensors[f"{name}.wav"].float() / 32768,
        bert=_optional(tensors, f"{name}.bert"),
        speaker=_optional(tensors, f"{name}.speaker"),
    )


def _optional(shard: dict[str, torch.Tensor], name: str) -> torch.Tensor | None:
    return shard[name].float() if name in shard else None
