"""BigVGAN: published size, level, and filters that fold nothing back."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from voice.nets import bigvgan
from voice.nets.generator import make_decoder


def test_bigvgan_has_the_published_number_of_elements() -> None:
    with torch.device("meta"):
        vocoder = bigvgan.BigVgan(100, 0, **bigvgan.BIGVGAN_24K_100BAND)
    weights = sum(p.numel() for p in vocoder.parameters())
    filters = sum(2 * bigvgan.TAPS for part in vocoder.modules() if isinstance(part, bigvgan.AliasFree))
    assert weights == 112_446_289
    assert len(vocoder.state_dict()) + filters // bigvgan.TAPS == 783
    # The published file holds both in float32, and some 400 bytes about each of its tensors.
    assert 300 * 783 < 450_088_331 - 4 * (weights + filters) < 500 * 783


def test_bigvgan_needs_no_condition_and_stays_within_full_scale() -> None:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"channels": 16, "rates": (4, 2), "kernels": (8, 4), "block_kernels": (3,)}
    for tanh in (False, True):
        vocoder = bigvgan.BigVgan(10, 0, **sizes, tanh=tanh)
        vocoder.conv_post.parametrizations.weight.original0.data.fill_(1000.0)  # type: ignore[union-attr,operator]
        audio = vocoder(torch.randn(2, 10, 9))
        assert audio.shape == (2, 1, 72) and 0.9 < float(audio.detach().abs().max()) <= 1
    with pytest.raises(ValueError, match="kernel 5 does not fit rate 4"):
        bigvgan.BigVgan(10, 0, 16, (4, 2), (5, 4))
    with pytest.raises(ValueError, match="halved"):
        bigvgan.BigVgan(10, 0, 18, (4, 2), (8, 4))
    with pytest.raises(ValueError, match="480"):
        make_decoder("bigvgan", 8, 12, 24000, 480, sizes)


def test_the_low_pass_filter_passes_what_is_low_and_stops_what_is_high() -> None:
    taps = bigvgan.kaiser_sinc()
    gain = torch.fft.rfft(taps.double(), 4096).abs()
    assert torch.equal(taps, taps.flip(0)) and float(gain[0]) == pytest.approx(1, abs=1e-6)
    assert float(gain[:200].min()) > 0.99 and float(gain[-500:].max()) < 0.01
    assert float(gain[1024]) == pytest.approx(0.5, abs=0.03)  # at the cutoff, a quarter of the rate


def test_an_anti_aliased_activation_folds_little_back() -> None:
    """The square of a tone at 0.35 of the rate has its harmonic at 0.7, which lands on 0.3 without the filters."""
    layer = bigvgan.AliasFree(1).double()
    time = torch.arange(2000, dtype=torch.float64)
    tone = 0.7 * torch.cos(2 * math.pi * 0.35 * time)[None, None]

    def folded(y: torch.Tensor) -> float:
        return float(torch.fft.rfft(y[0, 0, 200:1800] * torch.hann_window(1600, dtype=torch.float64))[480].abs())

    with torch.no_grad():
        plain, clean = layer.act(tone), layer(tone)
    assert clean.shape == tone.shape
    assert folded(clean) < 0.3 * folded(plain)  # 12 taps leave a quarter, through the image of the tone
    slow = 0.1 * torch.cos(2 * math.pi * 0.01 * time)[None, None]
    with torch.no_grad():  # what is low passes in its place
        assert torch.allclose(layer(slow), layer.act(slow), atol=1e-3)
