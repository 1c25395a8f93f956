"""Folders of the base's training, as its first steps leave them, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.voice.pretrain.tiny_corpus import options, write_corpus
from voice.nets.whisper_units import WhisperUnits, WhisperUnitsConfig
from voice.pretrain import tokens
from voice.pretrain.corpus import Corpus
from voice.pretrain.realign import HeadTrainer
from voice.pretrain.targets import Targets


@pytest.fixture(scope="session")
def tokenised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with tokens by a head that knows its frames; the layers below the head are not asked. Read only."""
    work = write_corpus(tmp_path_factory.mktemp("tokenised"), 1.6, times=2)
    args, corpus = options(work, work, steps=60, rate=3e-3, budget=10.0), Corpus(work)
    targets = Targets(corpus, work / "frames.safetensors", work, centred=False)
    trainer = HeadTrainer(args, corpus, targets)
    for number in range(1, 61):
        trainer.step(number)
    model = WhisperUnits(WhisperUnitsConfig(hidden=32, layers=1, heads=2, ffn=48, positions=50))
    model.head.load_state_dict(trainer.model.state_dict())
    model.save(work / "content.safetensors")
    (work / "units.f16").symlink_to(work / "teacher.f16")
    tokens.run(args)
    return work
