"""F0 of a tiny corpus, clip by clip."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.voice.pretrain.tiny_corpus import F0, SPEAKERS, options, write_corpus
from voice.f0 import f0_track
from voice.pretrain import pitch
from voice.pretrain.corpus import Corpus
from voice.pretrain.pitch import HOP, RATE, Pitch


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Clips of other lengths, none a whole number of frames but the first."""
    write_corpus(tmp_path, 1.0, speakers=SPEAKERS[:5])
    rows = [json.loads(line) for line in (tmp_path / "index.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["size"] = [size - 101 * number for size in row["size"]]
    (tmp_path / "index.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return Corpus(tmp_path)


@pytest.mark.parametrize("threads", [1, 2])
def test_every_clip_has_its_own_track(corpus: Corpus, tmp_path: Path, threads: int) -> None:
    pitch.run(options(tmp_path, tmp_path, threads=threads))
    found = Pitch(tmp_path, corpus)
    assert (tmp_path / "f0.f16").stat().st_size == 2 * sum(clip.size[RATE] // HOP for clip in corpus.clips)
    for clip in corpus.clips:
        track = found.of(clip)
        assert track.dtype == np.float32
        assert np.array_equal(track, f0_track(corpus.wav(clip, RATE), RATE, HOP).astype(np.float16))


def test_tones_are_found(corpus: Corpus, tmp_path: Path) -> None:
    pitch.run(options(tmp_path, tmp_path))
    track = Pitch(tmp_path, corpus).of(corpus.clips[0])
    middles = [float(np.median(part[8:-8])) for part in np.split(track, len(F0))]
    assert middles == pytest.approx(F0, rel=0.02)
