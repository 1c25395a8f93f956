"""Sound made strange for the student: its frames still know where they came from."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.nets.hubert import HOP, RATE, MelFront
from voice.pretrain.vary import WARPS, VariedFront, coloured, masks, room, vary


@settings(max_examples=40, deadline=None)
@given(st.integers(HOP, 4 * RATE), st.integers(0, 10**6))
def test_every_frame_left_shows_a_frame_of_the_clip(size: int, seed: int) -> None:
    wav = torch.sin(torch.arange(size) * 0.07)
    changed, place = vary(wav, torch.ones(700), random.Random(seed), strength=1.0)
    assert len(place) == len(changed) // HOP and torch.isfinite(changed).all()
    assert (place.diff() >= 0).all() and (len(place) == 0 or place[0] >= 0 and place[-1] < size // HOP)


@pytest.mark.parametrize("seed", range(6))
def test_places_follow_the_speed(seed: int) -> None:
    wav = torch.cat([torch.zeros(RATE), torch.ones(RATE)])
    changed, place = vary(wav, None, random.Random(seed), strength=0.5)
    turn = int((changed > 0.5).nonzero()[0]) / HOP
    assert int((place >= RATE // HOP).nonzero()[0]) == pytest.approx(turn, abs=1)


def test_the_same_dice_give_the_same_sound() -> None:
    wav = torch.sin(torch.arange(RATE) * 0.1)
    first, second = (vary(wav, wav.flip(0), random.Random(5), strength=1.0)[0] for _ in range(2))
    assert torch.equal(first, second)


def test_a_room_keeps_the_onset_and_adds_a_tail() -> None:
    wav = torch.zeros(RATE)
    wav[1000] = 1.0
    heard = room(wav, random.Random(0))
    assert heard[1000] == pytest.approx(1.0, abs=1e-4) and heard[:1000].abs().max() < 1e-5
    assert heard[2000:3000].square().sum() > heard[6000:7000].square().sum() > 0


def test_noise_has_unit_power() -> None:
    assert coloured(5000, random.Random(3)).square().mean() == pytest.approx(1.0, rel=1e-4)


def test_the_varied_front_is_the_front_when_not_training() -> None:
    torch.manual_seed(0)
    plain, varied = MelFront(80, 16, True), VariedFront(80, 16, True)
    varied.load_state_dict(plain.state_dict())
    wav = torch.randn(2, 8240) * 0.1
    assert torch.equal(varied.eval()(wav), plain.eval()(wav))
    assert torch.equal(varied.banks[len(WARPS) // 2], plain.bank)
    assert not torch.allclose(varied.train()(wav), plain(wav))


@pytest.mark.parametrize("number", [0, len(WARPS) - 1])
def test_a_warp_moves_the_bands(number: int) -> None:
    varied = VariedFront(80, 8, True)
    plain, moved = varied.bank[40].argmax(), varied.banks[number][40].argmax()
    assert float(moved) == pytest.approx(float(plain) * WARPS[number], abs=1)


def test_masks_hide_whole_bands_and_spans_and_not_too_much() -> None:
    torch.manual_seed(2)
    keep = masks(20, 500, 80, 1.0)
    assert set(keep.unique().tolist()) == {0.0, 1.0}
    assert 0.6 < keep.mean() < 0.95
    rows = keep[0][(keep[0].sum(1) > 0)]
    assert (rows == rows[0]).all()  # outside the spans all frames of a clip miss the same bands
