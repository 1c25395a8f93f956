"""The judge of texture: what it sees, what it learns to tell apart, its file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from voice.errors import UserError
from voice.nets.discriminator import Discriminator
from voice.nets.envelope import FrameCode
from voice.nets.losses import discriminator_loss
from voice.nets.texture import Texture, TextureConfig, picture, texture_loss

SMALL = TextureConfig(((8, 5, 3, 2, 1), (8, 3, 3, 2, 2)))


def code() -> FrameCode:
    made = FrameCode(24, 24000, 240, 960, 20)
    made.mean[0], made.spread[0] = -18.0, 2.0
    return made


def test_a_picture_shows_spectrum_pitch_and_voicing_in_order_of_time() -> None:
    latent = torch.zeros(2, 24, 5)
    latent[:, 10], latent[:, 11] = 0.5, -1.0  # pitch and voicing of the first frame of each pair
    latent[:, 22], latent[:, 23] = 0.25, 1.0
    seen = picture(code(), latent)
    assert seen.shape == (2, 3, 20, 10) and seen.dtype == torch.float32
    assert torch.equal(seen[0, 1, 7, :4], torch.tensor([0.5, 0.25, 0.5, 0.25]))
    assert torch.equal(seen[0, 2, 0, :4], torch.tensor([-1.0, 1.0, -1.0, 1.0]))
    mel, _ = code().read(code().unfold(latent))
    assert torch.allclose(seen[:, 0], (mel + 4) / 3, atol=1e-6)


def test_it_learns_to_tell_a_blurred_voice_from_one_that_is_not() -> None:
    torch.manual_seed(0)
    judge = Texture(SMALL)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=3e-3)

    def pair() -> tuple[torch.Tensor, torch.Tensor]:
        sharp = torch.randn(4, 3, 20, 32)
        return sharp, F.avg_pool2d(sharp, (1, 5), stride=1, padding=(0, 2))

    for _ in range(60):
        sharp, blurred = pair()
        loss = discriminator_loss(judge(sharp), judge(blurred))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        sharp, blurred = pair()
        assert float(judge(sharp)[0][-1].mean()) > 0.7 and float(judge(blurred)[0][-1].mean()) < 0.3


def test_the_distance_of_textures_is_relative_and_none_to_itself() -> None:
    maps = [torch.randn(1, 4, 6, 6) + 2 for _ in range(3)]
    assert texture_loss(maps, maps) == 0
    twice = [2 * one for one in maps]
    assert float(texture_loss(maps, twice)) == pytest.approx(1.0)
    assert float(texture_loss([10 * m for m in maps], [10 * m for m in twice])) == pytest.approx(1.0)
    other = [*maps[:-1], maps[-1] + 5]
    assert texture_loss(maps, other) == 0  # the judgement itself is not compared


def test_the_file_gives_the_same_judge_and_no_other_kind(tmp_path: Path) -> None:
    torch.manual_seed(1)
    judge = Texture(SMALL).half().float().eval()
    judge.save(tmp_path / "texture.safetensors")
    again = Texture.load(tmp_path / "texture.safetensors")
    seen = torch.randn(1, 3, 20, 16)
    assert again.config == SMALL
    assert torch.allclose(judge(seen)[0][-1], again(seen)[0][-1], atol=2e-3)
    with pytest.raises(UserError, match="holds texture, not discriminator"):
        Discriminator.load(tmp_path / "texture.safetensors")
