"""Whisper's first layers in few bits: what is stored, what the grid of frames is, what codes of posteriors tell."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
import torch

from voice.bits import Scheme
from voice.errors import UserError
from voice.nets.whisper import WhisperContent, WhisperContentConfig
from voice.pretrain.fewbits import Codes, frames, posteriors, run, speaker_means, stored
from voice.pretrain.probe import Said
from voice.text.units import CTC_UNITS

RATE = 16000


@pytest.fixture(scope="module")
def teacher() -> WhisperContent:
    torch.manual_seed(0)
    config = WhisperContentConfig(hidden=64, layers=3, heads=2, ffn=128, positions=100, fill=True, feature_layer=2)
    return WhisperContent(config).eval()


def _wav(seconds: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(int(seconds * RATE)) * 0.05).astype(np.float32)


def test_fewer_bits_make_a_smaller_file_and_frames_further_off(teacher: WhisperContent) -> None:
    wav, before = _wav(1.0), {name: t.clone() for name, t in teacher.encoder.state_dict().items()}
    exact, size = stored(teacher, 2, None)
    assert not exact.config.fill and exact.config.feature_layer == 2
    truth, sizes, losses = frames(exact, wav), [size], [0.0]
    for scheme in (Scheme(8), Scheme(6), Scheme(4, 32), Scheme(3, 32)):
        model, size = stored(teacher, 2, scheme)
        sizes.append(size)
        losses.append(float(np.square(frames(model, wav) - truth).mean()))
    assert sizes == sorted(sizes, reverse=True) and losses == sorted(losses)
    assert stored(teacher, 1, None)[1] < sizes[0]
    assert all(torch.equal(before[name], t) for name, t in teacher.encoder.state_dict().items())


@pytest.mark.parametrize("size", [320, 959, 960, 16000, 16319])
def test_as_many_frames_as_the_grid_has_at_any_level(teacher: WhisperContent, size: int) -> None:
    model, _ = stored(teacher, 2, None)
    wav = _wav(2.0)[:size]
    found = frames(model, wav)
    assert found.shape == (size // 320, 64) and found.dtype == np.float32
    assert np.allclose(frames(model, 0.2 * wav), found, atol=2e-3)


def test_posteriors_are_square_roots_and_an_odd_frame_is_left_out() -> None:
    scores = torch.randn(7, len(CTC_UNITS), generator=torch.Generator().manual_seed(1))
    found = posteriors(scores)
    assert found.shape == (3, len(CTC_UNITS))
    want = 0.5 * (scores[2].softmax(-1).sqrt() + scores[3].softmax(-1).sqrt())
    assert np.allclose(found[1], want.numpy(), atol=1e-6)


def test_codes_of_sure_posteriors_stand_for_their_units() -> None:
    rng = np.random.default_rng(3)
    units = np.repeat(rng.integers(0, 12, 900), 2)
    scores = 8.0 * np.eye(len(CTC_UNITS))[units] + 0.3 * rng.standard_normal((len(units), len(CTC_UNITS)))
    found = posteriors(torch.from_numpy(scores).float())
    codes = Codes([found], [units], 24, seed=0)
    best = codes.heard.table[codes.tokens(found)].argmax(-1).numpy()
    assert (best == units[1::2]).mean() > 0.97


def test_a_speakers_mean_counts_sounding_frames_and_is_drawn_to_zero() -> None:
    wav = np.concatenate([_wav(1.0), np.zeros(RATE, dtype=np.float32)])
    said = [Said("a", wav, (), (), "", "en"), Said("a", wav, (), (), "", "en"), Said("b", _wav(0.2), (), (), "", "en")]
    parts = [np.where(np.arange(100)[:, None] < 50, 3.0, 99.0).repeat(2, 1)] * 2 + [np.ones((10, 2))]
    means = speaker_means(said, parts)
    assert np.allclose(means["a"], 3.0 * 100 / 600) and np.allclose(means["b"], 10 / 510)


def test_what_is_not_given_is_named() -> None:
    with pytest.raises(UserError, match="--teacher and --recordings"):
        run(argparse.Namespace(teacher=None, recordings=None))
