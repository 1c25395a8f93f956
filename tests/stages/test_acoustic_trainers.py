"""Which trainer fine-tunes s2, and what it asks of the base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from stages.acoustic_trainers import make_trainer
from stages.params import TrainAcoustic, load_params
from stages.segments import Segment
from tests.stages.conftest import ROOT
from tests.voice.train.test_latent import TOKEN, network, utterance
from voice.errors import UserError
from voice.nets.texture import Texture, TextureConfig
from voice.train.latent import LatentTrainer


def settings(**changes: Any) -> TrainAcoustic:
    return load_params(ROOT).train_acoustic.model_copy(update={"trainable": ["flow"], "batch_size": 2} | changes)


def segment(number: int) -> Segment:
    made = utterance(number, 6)
    return Segment(
        name=f"s{number}", text="", lang="en", split="held_out" if number == 3 else "train", score=1.0,
        seconds=6 * TOKEN / 24000, phones=made.phones, tokens=made.codes, wav=made.wav, bert=None, speaker=None,
    )  # fmt: skip


def make(base: Path, **changes: Any) -> LatentTrainer:
    made = make_trainer(network(), [segment(n) for n in range(4)], settings(**changes), base, "cpu")
    assert isinstance(made, LatentTrainer)
    return made


def test_without_weights_for_it_no_judge_takes_part(tmp_path: Path) -> None:
    made = make(tmp_path)
    assert not hasattr(made, "judge") and len(made.held) == 1
    assert {"kl", "prior"} <= made.step(1).keys()


def test_what_params_say_of_wrong_tokens_and_of_mel_holds(tmp_path: Path) -> None:
    made = make(tmp_path, corrupt=0.25, c_mel=2.0)
    assert made.corrupt == 0.25 and made.near is not None
    assert "mel" in made.step(1)
    plain = make(tmp_path, corrupt=0.0, c_mel=0.0)
    assert plain.near is None and "mel" not in plain.step(1)


def test_the_judge_is_that_of_the_base(tmp_path: Path) -> None:
    torch.manual_seed(3)
    judge = Texture(TextureConfig(((8, 5, 3, 2, 1),)))
    judge.save(tmp_path / "texture.safetensors")
    made = make(tmp_path, c_adv=0.5, c_fm=0.25)
    assert (made.weights.adversarial, made.weights.feature) == (0.5, 0.25)
    kept = {name: tensor.half().float() for name, tensor in judge.state_dict().items()}
    assert all(torch.equal(kept[name], tensor) for name, tensor in made.judge.state_dict().items())


@pytest.mark.parametrize("changes", [{"c_adv": 0.5}, {"c_fm": 0.5}])
def test_a_base_without_a_judge_is_told(tmp_path: Path, changes: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"c_adv and c_fm need texture\.safetensors"):
        make(tmp_path, **changes)


def test_adapters_are_not_for_this_base(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lora_rank"):
        make(tmp_path, lora_rank=4)
