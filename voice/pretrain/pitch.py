"""F0 of the corpus, 100 values a second, made once: every step of s2 needs it and it costs more than the step."""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from voice.f0 import f0_track
from voice.pretrain.corpus import RATES, Clip, Corpus

RATE = RATES[0]
HOP = 240


def f0_starts(clips: list[Clip]) -> np.ndarray:
    """First value of every clip, and the number of all last: int64 [clips + 1]."""
    return np.cumsum([0, *(clip.size[RATE] // HOP for clip in clips)])


class Pitch:
    """F0 tracks by clip, in Hz, 0 where unvoiced."""

    def __init__(self, work: Path, corpus: Corpus) -> None:
        starts = f0_starts(corpus.clips)
        store = np.memmap(work / "f0.f16", dtype=np.float16, mode="r", shape=(int(starts[-1]),))
        self._parts = {clip.name: store[a:b] for clip, a, b in zip(corpus.clips, starts[:-1], starts[1:], strict=True)}

    def of(self, clip: Clip) -> np.ndarray:
        """float32 [N // HOP] of a clip of N samples."""
        return self._parts[clip.name].astype(np.float32)


def _track(work: Path, numbers: list[int]) -> list[np.ndarray]:
    corpus = Corpus(work)
    return [f0_track(corpus.wav(corpus.clips[n], RATE), RATE, HOP).astype(np.float16) for n in numbers]


def run(args: argparse.Namespace) -> None:
    """Write `work/f0.f16`."""
    clips = Corpus(args.arrays).clips
    parts = [list(range(n, min(n + 64, len(clips)))) for n in range(0, len(clips), 64)]
    with ProcessPoolExecutor(args.threads) as pool:
        found = list(tqdm(pool.map(partial(_track, args.arrays), parts), total=len(parts), desc="pitch", mininterval=5))
    part = args.work / "f0.part"
    np.concatenate([track for several in found for track in several]).tofile(part)
    part.replace(args.work / "f0.f16")
