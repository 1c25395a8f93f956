"""What a head on the teacher's frames should find in the corpus: its clips, who is held out, unit of each frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from voice.nets.hubert import HOP, RATE
from voice.pretrain.corpus import LONGEST_S, Clip, Corpus
from voice.pretrain.teacher import DIMS, frame_starts
from voice.weights import load_tensors

IGNORE = -1
EVERY_WORD = 3  # one isolated word in so many: an hour of them has two speakers
EVERY_SPEAKER, MOST_SECONDS = 16, 600.0  # one speaker in so many is held out, none with more speech than this


def strangers(clips: list[Clip]) -> set[str]:
    """Speakers held out: people, not synthetic voices, which are mixed from each other."""
    seconds: dict[str, float] = {}
    for clip in clips:
        if clip.kind != "synthetic":
            seconds[clip.speaker] = seconds.get(clip.speaker, 0.0) + clip.seconds
    return set(sorted(name for name, total in seconds.items() if total < MOST_SECONDS)[::EVERY_SPEAKER])


class Targets:
    """What a head reads and should find in each frame of a clip: unit [T] int64 and teacher frame [T, 128] float32.

    `frames` are in a file of float16 below `taught`; with `centred` each speaker's mean frame is taken away.
    """

    def __init__(
        self, corpus: Corpus, labels: Path, taught: Path, frames: str = "teacher.f16", centred: bool = True
    ) -> None:
        tensors, _ = load_tensors(labels)
        self.unit, self.starts = tensors["unit"], frame_starts(corpus.clips)
        self.frames = np.memmap(taught / frames, dtype=np.float16, mode="r", shape=(int(self.starts[-1]), DIMS))
        self.number = {clip.name: i for i, clip in enumerate(corpus.clips)}
        self.mean = self._means(corpus.clips) if centred else {}

    def _means(self, clips: list[Clip]) -> dict[str, np.ndarray]:
        """Mean teacher frame of each speaker, drawn to zero where there are few: what a voice adds to every sound."""
        sums: dict[str, np.ndarray] = {}
        for clip in clips:
            part = self._part(clip)
            sounding = self.frames[part][self.unit[part].numpy() > 0].astype(np.float32)
            row = np.append(sounding.sum(0), len(sounding))
            sums[clip.speaker] = sums.get(clip.speaker, 0) + row
        return {name: (row[:-1] / (row[-1] + 500)).astype(np.float32) for name, row in sums.items()}

    def _part(self, clip: Clip) -> slice:
        i = self.number[clip.name]
        return slice(int(self.starts[i]), int(self.starts[i + 1]))

    def of(self, clip: Clip) -> tuple[torch.Tensor, torch.Tensor]:
        """Units and teacher frames of a clip."""
        part = self._part(clip)
        frames = self.frames[part].astype(np.float32) - self.mean.get(clip.speaker, 0)
        return self.unit[part].long(), torch.from_numpy(frames)


def fitting(corpus: Corpus, targets: Targets, longest: float = LONGEST_S) -> list[Clip]:
    """Clips to train on: below `longest` seconds, aligned, and their units fit into their frames."""
    words = 0
    found = []
    for clip in corpus.clips:
        if clip.kind == "isolated word":
            words += 1
            if words % EVERY_WORD:
                continue
        fits = clip.units and clip.seconds < longest and clip.size[RATE] // HOP > 1.3 * len(clip.units)
        if fits and int(targets.of(clip)[0].min()) >= 0:
            found.append(clip)
    return found
