"""The training corpus as two flat sample files (24 kHz and 16 kHz) and an index, so that training reads no codec.

`voice.pretrain.prepare` writes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice.errors import UserError

RATES = (24000, 16000)
# Longer clips are left out of every training; ours end at 17.2 s. Batches are made by seconds: a step of s2 on
# two clips of 16 s took the time and memory of one on five of 7 s (3.3 and 3.6 s, 1.4 GB both). Cutting at pauses
# instead would need an alignment, which `prepare` comes before.
LONGEST_S = 20.0


@dataclass(frozen=True)
class Clip:
    """One utterance: where its samples lie (offset and length at each rate) and what it says."""

    name: str
    speaker: str
    lang: str
    kind: str
    licence: str
    rate: int  # rate of the recording before resampling, Hz
    start: dict[int, int]
    size: dict[int, int]
    phones: tuple[int, ...]
    units: tuple[int, ...]

    @property
    def seconds(self) -> float:
        return self.size[RATES[0]] / RATES[0]


class Corpus:
    """The prepared corpus: `clips`, and their samples by memory map."""

    def __init__(self, work: Path) -> None:
        if not (work / "index.jsonl").is_file():
            raise UserError(f"{work}: no prepared corpus", "run `python -m voice.pretrain prepare` first")
        self.samples = {rate: np.memmap(work / f"{rate}.i16", dtype=np.int16, mode="r") for rate in RATES}
        self.clips = []
        for line in (work / "index.jsonl").read_text().splitlines():
            row = json.loads(line)
            self.clips.append(
                Clip(
                    name=f"{row['part']}/{row['file']}",
                    speaker=row["speaker"],
                    lang=row["lang"],
                    kind=row.get("kind", "synthetic"),
                    licence=row.get("licence", "Apache-2.0"),
                    rate=row.get("sample_rate", RATES[0]),
                    start=dict(zip(RATES, row["start"], strict=True)),
                    size=dict(zip(RATES, row["size"], strict=True)),
                    phones=tuple(row["phones"]),
                    units=tuple(row["units"]),
                )
            )

    def wav(self, clip: Clip, rate: int) -> np.ndarray:
        """Samples of a clip at 24000 or 16000 Hz, float32 in [-1, 1]."""
        start = clip.start[rate]
        return self.samples[rate][start : start + clip.size[rate]].astype(np.float32) / 32767
