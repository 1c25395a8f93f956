"""s2: structure, padding, flow, quantiser, decoders, losses."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch

from voice.f0 import f0_track
from voice.nets import discriminator, losses
from voice.nets.acoustic import Acoustic, AcousticConfig
from voice.nets.generator import HarmonicDecoder, make_decoder
from voice.nets.official import VERSIONS

SMALL = AcousticConfig(
    content=16,
    codes=20,
    phones=40,
    inter=8,
    hidden=16,
    filters=24,
    layers_ssl=1,
    layers_text=1,
    layers_joint=1,
    mrte=16,
    posterior_layers=2,
    flow_layers=1,
    flows=2,
    gin=12,
    reference_hidden=16,
    decoder="harmonic",
    decoder_options={"channels": 16, "blocks": [1, 1], "n_fft": 960},
)


@pytest.fixture(scope="module")
def model() -> Acoustic:
    torch.manual_seed(0)
    made = Acoustic(SMALL).eval()
    for layer in made.flow.flows:  # the last convolution starts at zero, which would make the flow trivial
        torch.nn.init.normal_(layer.post.weight, 0, 0.3)
    return made


def test_parts_have_the_published_sizes() -> None:
    expected = {
        "ssl_proj": 1_180_416,
        "enc_p": 14_146_048,
        "ref_enc": 567_040,
        "enc_q": 10_494_336,
        "flow": 10_260_096,
        "dec": 14_662_144,
    }
    with torch.device("meta"):
        big = Acoustic(VERSIONS["v2"].acoustic)
        judge = discriminator.Discriminator(VERSIONS["v2"].discriminator)
    found = {name: sum(p.numel() for p in part.parameters()) for name, part in big.named_children()}
    assert {name: found[name] for name in expected} == expected
    assert sum(p.numel() for p in judge.parameters()) == 46_747_132


def test_the_flow_is_undone_by_its_inverse(model: Acoustic) -> None:
    x, ge, mask = torch.randn(2, 8, 11), torch.randn(2, 12, 1), torch.ones(2, 1, 11)
    with torch.no_grad():
        there = model.flow(x, mask, ge)
        back = model.flow(there, mask, ge, reverse=True)
    assert (there - x).abs().max() > 0.1
    assert torch.allclose(back, x, atol=1e-5)


def test_padding_changes_nothing(model: Acoustic) -> None:
    codes, phones = torch.randint(0, 20, (1, 9)), torch.randint(0, 40, (1, 7))
    spec = torch.rand(1, SMALL.bins, 18)
    with torch.no_grad():
        ge = model.reference(spec)
        mean, logs, _, _ = model.enc_p(model.expand(codes), torch.tensor([18]), phones, torch.tensor([7]), ge)
        far = torch.nn.functional.pad(spec, (0, 5), value=3.0)
        ge_far = model.reference(far, torch.tensor([18]))
        codes_far = torch.nn.functional.pad(codes, (0, 4), value=3)
        phones_far = torch.nn.functional.pad(phones, (0, 6), value=5)
        long = (model.expand(codes_far), torch.tensor([18]), phones_far, torch.tensor([7]))
        mean_far, _, _, _ = model.enc_p(*long, ge_far)
    # The reference convolutions see two frames past the end, as upstream's do; everything else is masked.
    near = model.reference(torch.nn.functional.pad(spec, (0, 5)), torch.tensor([18]))
    assert torch.allclose(mean[..., :18], mean_far[..., :18], atol=2e-1)
    with torch.no_grad():
        same, _, _, _ = model.enc_p(*long, ge)
    assert torch.allclose(mean, same[..., :18], atol=1e-5)
    assert near.shape == ge.shape and logs.shape == mean.shape


def test_decoding_gives_two_hops_a_token_and_repeats_with_its_seed(model: Acoustic) -> None:
    codes, phones, ge = torch.randint(0, 20, (1, 9)), torch.randint(0, 40, (1, 7)), torch.randn(1, 12, 1)
    takes = [model.decode(codes, phones, ge, 0.5, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert takes[0].shape == (1, 1, 9 * 2 * SMALL.hop)
    assert torch.equal(takes[0], takes[1]) and not torch.equal(takes[0], takes[2])
    still = [model.decode(codes, phones, ge, 0.0) for _ in range(2)]
    assert torch.equal(still[0], still[1])


def test_speed_changes_the_length(model: Acoustic) -> None:
    codes, phones, ge = torch.randint(0, 20, (1, 10)), torch.randint(0, 40, (1, 7)), torch.randn(1, 12, 1)
    assert model.decode(codes, phones, ge, 0.0, speed=2.0).shape[-1] == 11 * SMALL.hop


def test_the_quantiser_finds_its_own_entries(model: Acoustic) -> None:
    codes = torch.randint(0, 20, (2, 6))
    assert torch.equal(model.quantiser.encode(model.quantiser.decode(codes)), codes)


def test_tokens_are_half_the_frames(model: Acoustic) -> None:
    found = model.extract_latent(torch.randn(2, 16, 13))
    assert found.shape == (2, 1, 6) and found.dtype == torch.long


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("istft", {"channels": 16, "blocks": [1, 1], "n_fft": 960}),
        ("harmonic", {"channels": 16, "blocks": [1, 1], "n_fft": 960}),
        ("envelope", {"channels": 16, "blocks": 1, "n_fft": 960, "mels": 20}),
        ("hifigan", {"channels": 16, "rates": [10, 8, 6], "kernels": [20, 16, 12]}),
        ("bigvgan", {"channels": 16, "rates": [10, 8, 6], "kernels": [20, 16, 12]}),
    ],
)
def test_every_decoder_gives_hop_samples_a_frame(name: str, options: dict[str, object]) -> None:
    decoder = make_decoder(name, 8, 12, 24000, 480, options)
    audio = decoder(torch.randn(2, 8, 6), torch.randn(2, 12, 1))
    assert audio.shape == (2, 1, 6 * 480) and torch.isfinite(audio).all()


def test_an_unknown_decoder_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of bigvgan, envelope, harmonic, hifigan, istft"):
        make_decoder("griffin", 8, 12, 24000, 480, {})


def test_a_pure_tone_survives_the_inverse_transform() -> None:
    decoder = make_decoder("istft", 8, 12, 24000, 480, {"channels": 16, "blocks": [1, 1], "n_fft": 960})
    time = torch.arange(9600) / 24000
    tone = torch.sin(2 * torch.pi * 440 * time)
    pad = (960 - 240) // 2
    padded = torch.nn.functional.pad(tone, (pad, pad))
    spec = torch.stft(padded, 960, 240, window=torch.hann_window(960), center=False, return_complex=True)
    back = decoder._inverse(spec[None])[0]
    assert torch.allclose(back[480:-480], tone[: len(back)][480:-480], atol=1e-4)


def harmonic() -> HarmonicDecoder:
    torch.manual_seed(0)
    options = {"channels": 16, "blocks": [1, 1], "n_fft": 960}
    made = make_decoder("harmonic", 8, 12, 24000, 480, options)
    assert isinstance(made, HarmonicDecoder)
    return made.eval()


@pytest.mark.parametrize("pitch", [80.0, 155.0, 240.0])
def test_pulses_have_the_asked_pitch_and_unit_power(pitch: float) -> None:
    pulses = harmonic().pulses(torch.full((1, 100), pitch))[0]
    assert float(pulses.square().mean()) == pytest.approx(1, abs=0.1)
    track = f0_track(pulses.numpy(), 24000, 240)[5:-5]
    assert abs(track - pitch).max() < 0.02 * pitch
    line = torch.fft.rfft(pulses * torch.hann_window(len(pulses))).abs()
    between = line[int(1.5 * pitch * len(pulses) / 24000)]
    assert float(line[round(2 * pitch * len(pulses) / 24000)]) > 50 * float(between)


def test_pulses_glide_over_unvoiced_frames_without_a_break() -> None:
    f0 = torch.full((2, 60), 120.0)
    f0[0, 20:30], f0[1] = 0, 0
    pulses = harmonic().pulses(f0)
    assert torch.isfinite(pulses).all()
    whole = harmonic().pulses(torch.full((1, 60), 120.0))
    assert torch.allclose(pulses[0], whole[0])


def test_the_harmonic_decoder_is_repeatable_and_follows_the_given_pitch() -> None:
    decoder, latent, condition = harmonic(), torch.randn(1, 8, 50), torch.randn(1, 12, 1)
    with torch.no_grad():
        assert torch.equal(decoder(latent, condition), decoder(latent, condition))
        hidden = decoder.frames(latent, condition)
        decoder.head.bias[: 960 // 2 + 1] += 3.0  # louder pulses than noise
        audio = decoder.render(hidden, torch.full((1, 100), 200.0))[0, 0]
        silent = decoder.render(hidden, torch.zeros(1, 100))[0, 0]
    track = f0_track(audio.numpy(), 24000, 240)[5:-5]
    assert (abs(track - 200) < 4).mean() > 0.9
    assert float(silent.square().mean()) < 0.2 * float(audio.square().mean())


def test_pitch_loss_hears_wrong_notes_and_wrong_voicing_only() -> None:
    f0 = torch.tensor([[100.0, 0.0]])
    right = (f0.clamp(min=1).log(), torch.tensor([[20.0, -20.0]]))
    assert float(losses.pitch_loss(*right, f0)) == pytest.approx(0, abs=1e-4)
    octave = right[0] + math.log(2) * torch.tensor([[1.0, 0.0]])
    assert float(losses.pitch_loss(octave, right[1], f0)) == pytest.approx(math.log(2), abs=1e-4)
    lost = right[0] + torch.tensor([[0.0, 5.0]])  # an unvoiced frame has no pitch to miss
    assert float(losses.pitch_loss(lost, right[1], f0)) == pytest.approx(0, abs=1e-4)
    assert float(losses.pitch_loss(right[0], -right[1], f0)) > 5


def test_losses_are_zero_only_where_they_should_be() -> None:
    z, scale, mask = torch.randn(2, 4, 5), torch.zeros(2, 4, 5), torch.ones(2, 1, 5)
    same = losses.kl_loss(z, scale, z, scale, mask)
    assert float(same) == pytest.approx(-0.5 * 4)  # the sampled form: minus one half a channel at the mean
    wav = torch.randn(1, 4800)
    assert float(losses.mel_loss(wav, wav, 24000, ((512, 40),))) == 0
    assert float(losses.mel_loss(wav, 0.5 * wav, 24000, ((512, 40),))) == pytest.approx(0.693, abs=0.02)
    judge = discriminator.Discriminator()
    real, fake = judge(torch.randn(1, 1, 4800)), judge(torch.randn(1, 1, 4800))
    assert float(losses.feature_loss(real, real)) == 0 < float(losses.feature_loss(real, fake))


def test_weights_survive_a_file(model: Acoustic, tmp_path: Path) -> None:
    model.save(tmp_path / "a.safetensors")
    again = Acoustic.load(tmp_path / "a.safetensors")
    assert dataclasses.asdict(again.config) == dataclasses.asdict(model.config)
    again.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
