"""Latents by analysis: what they say of a sound, and the sound that their decoder makes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.f0 import f0_track
from voice.mel import log_mel, mel_centres
from voice.nets.envelope import FLOOR, EnvelopeDecoder, FrameCode
from voice.nets.harmonics import MIDDLE_LOG_F0

RATE, HALF_HOP, N_FFT, MELS = 24000, 240, 1024, 80
EDGE = slice(3, -3)  # frames that see nothing of the clip's ends
FORMANTS = ((600, 90, 1.0), (1100, 120, 0.6), (2500, 200, 0.25), (3500, 250, 0.1))  # Hz, width, size


def frame_code(inter: int, seed: int | None = None) -> FrameCode:
    """With a seed, some mean and spread of its own."""
    made = FrameCode(inter, RATE, HALF_HOP, N_FFT, MELS)
    if seed is not None:
        dice = torch.Generator().manual_seed(seed)
        made.mean.copy_(torch.randn(made.width, generator=dice))
        made.spread.copy_(0.2 + torch.rand(made.width, generator=dice))
    return made


def decoder(inter: int = 96) -> EnvelopeDecoder:
    torch.manual_seed(0)
    return EnvelopeDecoder(inter, 12, RATE, HALF_HOP, channels=16, blocks=1, n_fft=N_FFT, mels=MELS).eval()


def vowel(first: float = 110.0, last: float = 180.0, seconds: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """A pulse train that glides, through four formants: [1, N] of RMS 0.1, its F0 [1, N / HALF_HOP]."""
    f0 = torch.linspace(first, last, round(RATE * seconds)).double()
    phase = 2 * math.pi * (f0 / RATE).cumsum(0)
    wave = torch.zeros_like(phase)
    for number in range(1, int(RATE / 2 / last)):
        size = sum(high / (1 + ((number * f0 - middle) / width) ** 2) for middle, width, high in FORMANTS)
        wave += size * torch.cos(number * phase)
    return (0.1 * wave / wave.std()).float()[None], f0.float().view(-1, HALF_HOP).mean(1)[None]


def noise(frames: int, seed: int = 0) -> torch.Tensor:
    return 0.05 * torch.randn(1, frames * HALF_HOP, generator=torch.Generator().manual_seed(seed))


def broken_pitch(frames: int, seed: int) -> torch.Tensor:
    """F0 between 60 and 400 Hz [1, frames], about a third of it unvoiced."""
    dice = torch.Generator().manual_seed(seed)
    return (60 + 340 * torch.rand(1, frames, generator=dice)) * (torch.rand(1, frames, generator=dice) > 0.3)


def mel_of(wav: torch.Tensor) -> torch.Tensor:
    """[1, N] -> [1, MELS, F], no lower than a latent can say."""
    return log_mel(wav, RATE, N_FFT, HALF_HOP, N_FFT, MELS).clamp(min=FLOOR)


@settings(max_examples=15, deadline=None)
@given(steps=st.integers(2, 12), inter=st.sampled_from([8, 30, 96]), seed=st.integers(0, 999))
def test_unfolding_undoes_the_folding_of_two_frames_into_one(steps: int, inter: int, seed: int) -> None:
    code, wav, f0 = frame_code(inter, seed), noise(2 * steps, seed), broken_pitch(2 * steps, seed)
    latent = code.encode(wav, f0)
    assert latent.shape == (1, inter, steps)
    values = code.unfold(latent)
    assert values.shape == (1, inter // 2, 2 * steps)
    found = values * code.spread[:, None] + code.mean[:, None]
    assert torch.allclose(found, code.analyse(wav, f0), atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(steps=st.integers(2, 12), seed=st.integers(0, 999))
def test_with_every_cepstrum_a_latent_holds_the_mel_spectrum(steps: int, seed: int) -> None:
    code, wav, f0 = frame_code(2 * (MELS + 2), seed), noise(2 * steps, seed), broken_pitch(2 * steps, seed)
    mel, pitch = code.read(code.unfold(code.encode(wav, f0)))
    assert torch.allclose(mel, mel_of(wav), atol=1e-4)
    assert torch.equal(pitch > 0, f0 > 0)
    assert torch.allclose(pitch, f0, rtol=1e-4)


def test_fewer_cepstra_lose_the_fine_shape_alone() -> None:
    code, (wav, f0) = frame_code(96, 1), vowel()
    mel, pitch = code.read(code.unfold(code.encode(wav, f0)))
    lost = mel - mel_of(wav)
    assert 0.01 < float(lost.abs().mean()) < 0.5
    assert float((code.basis @ lost).abs().max()) < 1e-3, "what the kept cepstra say must be as it was"
    assert float(lost.mean(1).abs().max()) < 1e-3
    assert torch.allclose(pitch, f0, rtol=1e-4)


@pytest.mark.parametrize("pitch", [20.0, 5000.0])
def test_a_pitch_beyond_a_voice_is_held_at_the_edge(pitch: float) -> None:
    code = frame_code(96)
    _, found = code.read(code.unfold(code.encode(noise(8), torch.full((1, 8), pitch))))
    edge = math.exp(MIDDLE_LOG_F0 + math.copysign(1.5, pitch - 170))
    assert torch.allclose(found, torch.tensor(edge), rtol=1e-4)


def test_latents_have_mean_nought_and_spread_one_where_they_were_fitted() -> None:
    code = frame_code(96)
    clips = [(vowel(90, 140)), vowel(180, 320), (noise(100), torch.zeros(1, 100))]
    values = torch.cat([code.analyse(wav, f0) for wav, f0 in clips], dim=2)[0]
    code.mean.copy_(values.mean(1))
    code.spread.copy_(values.std(1))
    latents = torch.cat([code.unfold(code.encode(wav, f0)) for wav, f0 in clips], dim=2)[0]
    assert torch.allclose(latents.mean(1), torch.zeros(48), atol=1e-3)
    assert torch.allclose(latents.std(1), torch.ones(48), atol=1e-3)


@pytest.mark.parametrize("voiced", [False, True])
def test_digital_silence_gives_finite_latents_and_next_to_no_sound(voiced: bool) -> None:
    net, f0 = decoder(), torch.full((1, 20), 150.0 if voiced else 0.0)
    latent = net.code.encode(torch.zeros(1, 20 * HALF_HOP), f0)
    mel, _ = net.code.read(net.code.unfold(latent))
    assert torch.isfinite(latent).all() and torch.allclose(mel, torch.tensor(FLOOR), atol=1e-3)
    with torch.no_grad():
        assert float(net(latent).abs().max()) < 0.01


def test_the_untrained_decoder_copies_a_vowel() -> None:
    net, (wav, f0) = decoder(), vowel()
    wav = wav + 0.01 * noise(f0.shape[1])  # between the harmonics a voice is not digital silence
    with torch.no_grad():
        audio = net(net.code.encode(wav, f0))[0]
    track = torch.from_numpy(f0_track(audio[0].numpy(), RATE, HALF_HOP))[EDGE]
    assert float((track / f0[0, EDGE] - 1).abs().max()) < 0.01
    away = (mel_of(audio) - mel_of(wav))[..., EDGE]
    assert float(away.abs().mean()) < 0.35 and abs(float(away.mean())) < 0.3
    assert float(audio.std()) == pytest.approx(float(wav.std()), rel=0.25)


def test_the_untrained_decoder_copies_noise_without_a_pitch() -> None:
    net, wav = decoder(), noise(100)
    with torch.no_grad():
        audio = net(net.code.encode(wav, torch.zeros(1, 100)))[0]
    assert (f0_track(audio[0].numpy(), RATE, HALF_HOP) > 0).mean() < 0.05
    away = (mel_of(audio) - mel_of(wav))[..., EDGE]
    assert float(away.abs().mean()) < 0.4 and abs(float(away.mean())) < 0.3


@torch.no_grad()
def test_equal_latents_give_equal_samples_outside_training_whatever_the_condition() -> None:
    net, latent = decoder(), torch.randn(2, 96, 9)
    audio = net(latent)
    assert audio.shape == (2, 1, 9 * 2 * HALF_HOP)
    assert torch.equal(net(latent), audio) and torch.equal(net(latent, torch.randn(2, 12, 1)), audio)
    assert not torch.equal(net.train()(latent), audio)


def test_the_head_changes_pulses_and_noise_apart() -> None:
    net, (wav, f0) = decoder(), vowel(seconds=0.5)
    latent = net.code.encode(wav, f0)
    with torch.no_grad():
        tonal, breath, pitch = net.parts(latent)
        assert torch.allclose(tonal - breath, torch.tensor(2.0), atol=1e-5) and torch.equal(pitch > 0, f0 > 0)
        net.head.bias[: N_FFT // 2 + 1] += 1.0
        louder, same, _ = net.parts(latent)
        assert torch.allclose(louder, tonal + 1) and torch.equal(same, breath)


def test_between_the_middles_of_its_bands_the_envelope_is_a_straight_line() -> None:
    net, mel = decoder(), torch.randn(MELS, generator=torch.Generator().manual_seed(0))
    bins = np.arange(N_FFT // 2 + 1) * RATE / N_FFT
    wanted = np.interp(bins, mel_centres(RATE, MELS), mel.numpy())
    assert np.allclose((net.spread_over @ mel).numpy(), wanted, atol=1e-4)


def test_every_weight_learns() -> None:
    net, (wav, f0) = decoder().train(), vowel(seconds=0.2)
    torch.nn.init.normal_(net.head.weight, 0, 0.1)  # nothing goes back through a head of zeros
    (mel_of(net(net.code.encode(wav, f0))[:, 0]) - mel_of(wav)).abs().mean().backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None and torch.isfinite(weight.grad).all() and weight.grad.any(), name


def test_files_hold_what_was_fitted_and_learnt_and_nothing_that_follows_from_the_sizes() -> None:
    names = list(decoder().state_dict())
    assert {name.partition(".")[0] for name in names} == {"code", "conv_pre", "blocks", "norm_post", "head"}
    assert [name for name in names if name.startswith("code.")] == ["code.mean", "code.spread"]
