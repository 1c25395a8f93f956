"""The judges of spectra: what they see of a sound, and that they learn to tell two kinds of it apart."""

from __future__ import annotations

import torch

from voice.nets.losses import discriminator_loss
from voice.nets.spectra import SIZES, Spectra

SMALL = ((8, 5, 3, 2, 1), (8, 3, 3, 2, 2))


def test_each_resolution_has_a_judgement_and_the_outputs_of_its_layers() -> None:
    maps = Spectra(layers=SMALL)(torch.randn(2, 4800))
    assert len(maps) == len(SIZES)
    for (n_fft, hop), found in zip(SIZES, maps, strict=True):
        assert len(found) == len(SMALL) + 1
        frames, bins = 4800 // hop, n_fft // 2 + 1
        assert found[0].shape == (2, 8, (bins + 1) // 2, frames)
        assert found[-1].shape[:2] == (2, 1)


def test_the_sign_of_a_sound_is_not_seen_and_its_level_is() -> None:
    torch.manual_seed(0)
    judges, wav = Spectra(layers=SMALL), torch.randn(1, 4800)
    one, other, louder = (judges(sound)[0][-1] for sound in (wav, -wav, 2 * wav))
    assert torch.allclose(one, other, atol=1e-5)
    assert not torch.allclose(one, louder, atol=1e-3)


def test_silence_gives_finite_values_and_gradients() -> None:
    wav = torch.zeros(1, 4800, requires_grad=True)
    sum(maps[-1].sum() for maps in Spectra(layers=SMALL)(wav)).backward()
    assert wav.grad is not None and torch.isfinite(wav.grad).all()


def test_they_learn_to_tell_noise_from_tones() -> None:
    torch.manual_seed(0)
    judges = Spectra(layers=SMALL)
    optimiser = torch.optim.Adam(judges.parameters(), lr=3e-3)
    tones = torch.sin(torch.arange(4800) * torch.tensor([[0.05], [0.09]]))
    losses = []
    for _ in range(40):
        loss = discriminator_loss(judges(tones), judges(0.7 * torch.randn(2, 4800)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]
