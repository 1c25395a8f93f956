from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from tests.voice.alignment.frames import english
from voice.alignment import aligners
from voice.alignment.aligners import WhisperAligner, hear, load_aligner, sound
from voice.alignment.letters import LetterAligner
from voice.alignment.spoken import align_words
from voice.alignment.words import script_words
from voice.audio import write_wav
from voice.errors import UserError
from voice.recognise import Heard, HeardWord
from voice.text import read_text

LETTERS = ["e", "t", "<pad>", "a", "o", "h", "n", "i", "g", "x", "|", "'"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained wav2vec2 over a few letters whose blank is not number 0."""
    folder = tmp_path_factory.mktemp("letters")
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        vocab_size=len(LETTERS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        conv_dim=(8,) * 7, num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, pad_token_id=2,
    )  # fmt: skip
    Wav2Vec2ForCTC(config).save_pretrained(folder, safe_serialization=True)
    (folder / "vocab.json").write_text(json.dumps({letter: n for n, letter in enumerate(LETTERS)}))
    return folder


def test_letters_of_a_model_with_its_blank_first(model: Path) -> None:
    aligner = load_aligner(f"ctc:{model}", Path())
    log_probs = aligner.log_probs(torch.randn(16000))
    assert abs(len(log_probs) - 50) <= 1 and log_probs.shape[1] == len(LETTERS)
    assert log_probs.exp().sum(-1).allclose(torch.ones(len(log_probs)), atol=1e-4)
    raw = LetterAligner(str(model))
    order = [2, 0, 1, *range(3, len(LETTERS))]
    assert aligner.units("Eat", ("IY1", "T")) == [order.index(LETTERS.index(c)) for c in "eat"]
    assert aligner.units("it's", ()) == [] and aligner.units("zoo", ()) == []  # s and z are not its letters
    assert aligner.units("您", ("n", "in2")) == raw.units("nin", ())  # spelled by its phones
    assert aligner.units("。", (".",)) == []


def test_words_over_letters(model: Path) -> None:
    aligner = LetterAligner(str(model))
    words, _ = script_words(["Eat an onion."], lambda line: read_text(line, "en"), aligner.units)
    assert [len(word.units) for word in words] == [3, 2, 5]


def test_a_model_that_is_not_whole_or_not_there_is_one_line(model: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"vocab\.json is missing"):
        LetterAligner(str(tmp_path))
    with pytest.raises(UserError, match="neither a folder nor to be had"):
        LetterAligner("no such name")


def test_names_that_are_no_aligner(tmp_path: Path) -> None:
    for name in ("kaldi", "content:x", "ctc:", "whisper:", ""):
        with pytest.raises(UserError, match="no such aligner"):
            load_aligner(name, tmp_path)
    with pytest.raises(UserError, match="not set up"):
        load_aligner("content", tmp_path)


class Ear:
    """A recogniser that hears the words of one sentence evenly spread over two seconds."""

    digest = "f" * 64

    def __init__(self, text: str) -> None:
        words = text.split()
        step = 2.0 / len(words)
        self._heard = Heard(
            text, "en", tuple(HeardWord(word, n * step, (n + 1) * step, 0.8) for n, word in enumerate(words))
        )

    def hear(self, file: Path, lang: str | None) -> Heard:
        return self._heard

    def hear_samples(self, wave: np.ndarray, lang: str | None) -> Heard:
        return self._heard


def test_recognised_words_align_the_text_they_are_of(tmp_path: Path) -> None:
    text = "The harbour was quiet when the boats came home."
    aligner = WhisperAligner(Ear(text))
    write_wav(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32), 16000)
    one = sound(hear(aligner, tmp_path / "a.wav"), aligner.quieter, 0.0, 2.0)
    words = english(text)
    (spoken,) = align_words([one], words, [0] * len(words), [None] * len(words))
    assert spoken.words == list(range(len(words))) and spoken.score > 0.9
    middles = [(start + end) / 2 for start, end, _ in spoken.times]
    assert middles == pytest.approx([(n + 0.5) * 2 / len(words) for n in range(len(words))], abs=0.08)
    (other,) = align_words([one], english("Seven children played beside a wall."), [0] * 6, [None] * 6)
    assert other.score < 0.15


def test_the_name_of_a_recogniser_loads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(aligners, "load_recogniser", lambda model, threads: asked.append((model, threads)) or Ear("x"))
    assert load_aligner("whisper:small", Path(), 3).digest == "f" * 64 and asked == [("small", 3)]
