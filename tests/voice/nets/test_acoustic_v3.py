"""s2 of v3 and v4 and v4's vocoder: names and sizes of the published files, results of the reference, own behaviour."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests import golden
from voice.nets import acoustic_v3
from voice.nets.acoustic_v3 import AcousticV3, official_key, official_v3, official_v4, vocoder_v4
from voice.nets.flow_matching import Dit, rotary_frequencies, sample

SMALL = replace(
    official_v4(),
    n_fft=64, mels=6, content=16, codes=20, phones=40, hidden=16, filters=24, layers_ssl=1, layers_text=1,
    layers_joint=1, mrte=16, gin=12, reference_bins=20, reference_hidden=16, width=16, refine_layers=2, dit_dim=32,
    dit_depth=2, dit_heads=2, dit_filters=48, condition_depth=2, window=40, prompt=10, steps=2,
)  # fmt: skip
CONFIGS = {"v3": official_v3(), "v4": official_v4()}


def wake(network: torch.nn.Module, seed: int = 0) -> None:
    """Random weights everywhere: parts of the network start at zero, which would hide the rest."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / math.sqrt(max(parameter[0].numel(), 9)))


@pytest.fixture(scope="module")
def small() -> AcousticV3:
    model = AcousticV3(SMALL).eval()
    wake(model)
    return model


@pytest.fixture(scope="module")
def big() -> AcousticV3:
    """All weights by the fixtures' rule: v3 and v4 differ in their config alone."""
    with torch.device("meta"):
        model = AcousticV3(official_v4())
    model.to_empty(device="cpu")
    model.dit.inv_freq.copy_(rotary_frequencies(64))
    golden.fill_module(model, official_key)
    return model.eval()


def as_version(model: AcousticV3, name: str) -> AcousticV3:
    model.config = CONFIGS[name]
    return model


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_names_and_shapes_are_the_published_ones(config: acoustic_v3.AcousticV3Config) -> None:
    with torch.device("meta"):
        state = AcousticV3(config).state_dict()
    found = {official_key(name): tuple(tensor.shape) for name, tensor in state.items()}
    assert len(found) == len(state) == 685
    assert sum(tensor.numel() for tensor in state.values()) == 384_394_985
    assert found == golden.keys("s2_v3v4_keys")


def test_the_vocoder_has_the_published_names_and_shapes() -> None:
    with torch.device("meta"):
        state = vocoder_v4().state_dict()
    assert len(state) == 194 and sum(tensor.numel() for tensor in state.values()) == 14_425_409
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == golden.keys("vocoder_v4_keys")


@torch.no_grad()
def features(model: AcousticV3, speed: float = 1.0) -> torch.Tensor:
    codes, phones = golden.ints("s2.codes", [1, 1, 8], 1024)[0], golden.ints("s2.text", [1, 7], 732)
    return model.features(codes, phones, model.reference(3 * golden.u("s2.ref", [1, 1025, 20]).abs()), speed)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("speed", [1.0, 1.25])
def test_features_equal_the_reference(big: AcousticV3, name: str, speed: float) -> None:
    record = golden.load("v3v4")[name]["decode_encp" if speed == 1 else f"decode_encp_speed{speed}"]
    golden.check(record, features(as_version(big, name), speed))


@pytest.mark.parametrize("name", CONFIGS)
def test_one_step_of_the_flow_equals_the_reference(big: AcousticV3, name: str) -> None:
    condition = features(as_version(big, name))
    size = condition.shape[2]
    prompt = torch.nn.functional.pad(golden.u("v3.prompt", [1, 100, 6]), (0, size - 6))
    quarter = torch.tensor([0.25])
    with torch.no_grad():
        found = big.dit(golden.u("v3.x", [1, 100, size]), prompt, condition, quarter, quarter)
    golden.check(golden.load("v3v4")[name]["dit_single_eval"], found.transpose(1, 2))


@pytest.mark.parametrize("name", CONFIGS)
def test_four_steps_equal_the_reference(big: AcousticV3, name: str) -> None:
    found = sample(big.dit, features(as_version(big, name)), golden.u("v3.prompt", [1, 100, 6]), 4, 0.0)
    golden.check(golden.load("v3v4")[name]["cfm_4steps_temp0"], found)


def test_the_vocoder_equals_the_reference() -> None:
    vocoder = vocoder_v4().eval()
    golden.fill_module(vocoder)
    with torch.no_grad():
        golden.check(golden.load("v3v4")["vocoder_v4"], vocoder(golden.u("voc.mel", [1, 100, 5])))


def test_padding_changes_no_real_frame(small: AcousticV3) -> None:
    x, prompt, condition = torch.randn(1, 6, 9), torch.randn(1, 6, 9), torch.randn(1, 16, 9)
    time, step = torch.tensor([0.3]), torch.tensor([0.5])
    longer = [torch.nn.functional.pad(part, (0, 4), value=2.0) for part in (x, prompt, condition)]
    mask = torch.nn.functional.pad(torch.ones(1, 1, 9), (0, 4))
    with torch.no_grad():
        alone = small.dit(x, prompt, condition, time, step)
        padded = small.dit(*longer, time, step, mask)[..., :9]
    assert float(alone.abs().mean()) > 0.01
    assert torch.allclose(alone, padded, atol=1e-5)


def test_sampling_keeps_the_prompt_still_and_repeats_with_its_seed(small: AcousticV3) -> None:
    condition, prompt = torch.randn(2, 16, 12), torch.randn(2, 6, 5)
    takes = [sample(small.dit, condition, prompt, 3, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert takes[0].shape == (2, 6, 12) and not takes[0][..., :5].any() and takes[0][..., 5:].all()
    assert torch.equal(takes[0], takes[1]) and not torch.equal(takes[0], takes[2])


def test_half_precision_is_enough(small: AcousticV3) -> None:
    condition, prompt, mask = torch.randn(1, 16, 12), torch.randn(1, 6, 5), torch.ones(1, 1, 12)
    exact = sample(small.dit, condition, prompt, 2, 0.0, mask)
    rough = sample(copy.deepcopy(small.dit).bfloat16(), condition.bfloat16(), prompt, 2, 0.0, mask)
    assert rough.dtype == torch.float32
    assert float((exact - rough).abs().max()) < 0.05 * float(exact.abs().max())


@pytest.mark.parametrize(("steps", "prompt", "said"), [(0, 5, "at least 1"), (4, 12, "leaves nothing")])
def test_impossible_samplings_are_refused(small: AcousticV3, steps: int, prompt: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sample(small.dit, torch.randn(1, 16, 12), torch.randn(1, 6, prompt), steps)


def test_the_flow_of_constant_velocity_is_followed_exactly() -> None:
    network = Dit(4, 8, 32, 1, 2, 48, 1).eval()
    network.out.bias.data.fill_(0.7)  # all else in the last layers starts at zero
    found = sample(network, torch.randn(1, 8, 6), torch.zeros(1, 4, 2), 5, 0.0)
    assert torch.allclose(found[..., 2:], torch.full((1, 4, 4), 0.7))


@pytest.mark.parametrize(
    ("name", "speed", "frames"), [("v3", 1.0, 30), ("v3", 2.0, 16), ("v4", 1.0, 32), ("v4", 0.5, 66)]
)
def test_speed_changes_the_number_of_frames(name: str, speed: float, frames: int) -> None:
    model = AcousticV3(replace(SMALL, stretch=CONFIGS[name].stretch, token_frames=CONFIGS[name].token_frames)).eval()
    codes, phones = torch.randint(0, 20, (1, 8)), torch.randint(0, 40, (1, 7))
    with torch.no_grad():
        found = model.features(codes, phones, torch.randn(1, 12, 1), speed)
    assert found.shape == (1, 16, frames)
    # v4 counts floor(4n / speed) + 1 real frames: in the last case one less than it makes.
    assert bool(found[..., -1].any()) == (frames != 66)


def test_speed_must_be_positive(small: AcousticV3) -> None:
    with pytest.raises(ValueError, match="above 0"):
        small.features(
            torch.zeros(1, 4, dtype=torch.long), torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, 12, 1), 0
        )


def test_a_long_text_is_made_in_pieces_that_follow_each_other(small: AcousticV3) -> None:
    known, mel, features = torch.randn(1, 16, 25), torch.randn(1, 6, 23) - 5, torch.randn(1, 16, 71)
    found = small.extend(features, known, mel, temperature=0.0)
    assert found.shape == (1, 6, 71)
    prompt = acoustic_v3.normalise(mel[..., 13:])
    joined = torch.cat([known[..., 13:23], features[..., :30]], dim=2)
    first = sample(small.dit, joined, prompt, 2, 0.0)[..., 10:]
    joined = torch.cat([features[..., 20:60]], dim=2)
    second = sample(small.dit, joined, first[..., -10:], 2, 0.0)[..., 10:]
    assert torch.allclose(found[..., :30], acoustic_v3.denormalise(first), atol=1e-4)
    assert torch.allclose(found[..., 30:60], acoustic_v3.denormalise(second), atol=1e-4)


def test_a_reference_is_needed(small: AcousticV3) -> None:
    with pytest.raises(ValueError, match="prompt is empty"):
        small.extend(torch.randn(1, 16, 9), torch.randn(1, 16, 0), torch.randn(1, 6, 3))


def test_mels_survive_their_scaling() -> None:
    mel = torch.tensor([-12.0, -5.0, 2.0, 3.0])
    assert torch.allclose(acoustic_v3.normalise(mel), torch.tensor([-1, 0, 1, 8 / 7]))
    assert torch.allclose(acoustic_v3.denormalise(acoustic_v3.normalise(mel)), mel, atol=1e-5)


def test_tokens_are_half_the_frames(small: AcousticV3) -> None:
    found = small.extract_latent(torch.randn(2, 16, 13))
    assert found.shape == (2, 1, 6) and found.dtype == torch.long


def test_a_stored_network_comes_back(small: AcousticV3, tmp_path: Path) -> None:
    small.save(tmp_path / "a.safetensors")
    again = AcousticV3.load(tmp_path / "a.safetensors")
    assert again.config == small.config
    for name, tensor in small.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor.half().float()), name
