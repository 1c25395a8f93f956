"""The speaker network: its published structure, its numbers against the golden fixture, short audio, files."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests import golden
from voice.errors import UserError
from voice.nets.speaker import SpeakerConfig, SpeakerNet, fbank

SMALL = SpeakerConfig(mels=20, channels=16, blocks=(1, 2, 1, 2), speaker=6)


@pytest.fixture(scope="module")
def small() -> SpeakerNet:
    made = SpeakerNet(SMALL)
    golden.fill_module(made)
    return made


def voice(samples: int) -> Tensor:
    """The fixture's audio: 16 kHz, [samples]."""
    return 0.1 * golden.u("wav16", [samples]) + 0.4 * torch.sin(0.11 * torch.arange(samples))


def test_hash_stream_is_the_published_one() -> None:
    def one(i: int) -> int:
        x = (i * 2654435761 + zlib.crc32(b"name")) % 2**32
        x = (x ^ x >> 16) * 2246822519 % 2**32
        x = (x ^ x >> 13) * 3266489917 % 2**32
        return x ^ x >> 16

    count = golden.BLOCK + 5
    real, whole = golden.u("name", [count]), golden.ints("name", [1, count], 732)
    assert real.dtype == torch.float32 and whole.dtype == torch.int64 and whole.shape == (1, count)
    for i in (0, 1, 1000, golden.BLOCK - 1, golden.BLOCK, count - 1):  # both sides of where a block ends
        assert real[i].item() == pytest.approx(one(i) / 2**32 * 2 - 1, abs=1e-7)
        assert whole[0, i].item() == one(i) % 732


def test_weight_rule_and_renaming() -> None:
    net = nn.Sequential(nn.Conv1d(3, 2, 5), nn.BatchNorm1d(2), nn.PReLU(4))
    net.state_dict()["1.num_batches_tracked"].fill_(7)
    golden.fill_module(net, rename=lambda key: f"a.{key}")
    state, u = net.state_dict(), golden.u
    assert torch.allclose(state["0.weight"], u("a.0.weight", [2, 3, 5]) * (3 / 15) ** 0.5)
    assert torch.allclose(state["0.bias"], u("a.0.bias", [2]) * 0.1)
    assert torch.allclose(state["1.weight"], u("a.1.weight", [2]) * 0.1 + 1)
    assert torch.allclose(state["1.running_var"], u("a.1.running_var", [2]) * 0.1 + 1)
    assert torch.allclose(state["1.running_mean"], u("a.1.running_mean", [2]) * 0.1)
    assert torch.allclose(state["2.weight"], u("a.2.weight", [4]) * 0.1 + 1)
    assert state["1.num_batches_tracked"].item() == 0


def test_check_tells_a_wrong_number() -> None:
    x = golden.u("x", [40])
    golden.check(golden.summary(x), x)
    with pytest.raises(AssertionError, match="relative error"):
        golden.check(golden.summary(x), x * 1.01)
    with pytest.raises(AssertionError, match="shape"):
        golden.check(golden.summary(x), x.reshape(4, 10))


def test_state_dict_is_the_published_one() -> None:
    with torch.device("meta"):
        state = SpeakerNet().state_dict()
    assert {key: tuple(value.shape) for key, value in state.items()} == golden.keys("eres2netv2_keys")
    assert len(state) == 1001 and sum(value.numel() for value in state.values()) == 53_588_221
    for key, value in state.items():
        assert value.dtype == (torch.int64 if key.endswith("num_batches_tracked") else torch.float32), key


def test_fbank_and_embedding_match_the_golden_fixture() -> None:
    record, wav = golden.load("sv"), voice(16000)
    net = SpeakerNet()
    golden.fill_module(net)
    features = fbank(wav)
    golden.check(record["fbank"], features)
    with torch.no_grad():
        golden.check(record["forward3"], net(features.unsqueeze(0)))
    golden.check(record["forward3"], net.embed(wav))


def test_fbank_of_a_batch_is_that_of_its_rows() -> None:
    wav = voice(2400).reshape(2, 1200)
    both = fbank(wav)
    assert both.shape == (2, 1 + (1200 - 400) // 160, 80) and both.dtype == torch.float32
    assert torch.equal(both[1], fbank(wav[1]))
    assert torch.equal(fbank(wav.double())[0], both[0])


def test_small_network_embeds_one_frame_and_rows_of_a_batch_alone(small: SpeakerNet) -> None:
    assert small.config.size == 8 * 16 * 4 * 3  # 20 bands: 20, 10, 5, 3 rows
    assert small.embed(voice(400)).shape == (1, small.config.size)
    wav = voice(8000).reshape(2, 4000)
    with torch.no_grad():
        both = small(fbank(wav, SMALL.mels))
    assert torch.allclose(both[1:], small.embed(wav[1]), rtol=1e-4, atol=1e-4)


def test_audio_shorter_than_a_frame_is_refused(small: SpeakerNet) -> None:
    for samples in (0, 399):
        with pytest.raises(UserError, match=f"audio of {samples} samples.*shorter than one frame"):
            small.embed(torch.zeros(samples))


def test_silence_gives_finite_numbers(small: SpeakerNet) -> None:
    assert small.embed(torch.zeros(4000)).isfinite().all()


def test_what_is_saved_comes_back(small: SpeakerNet, tmp_path: Path) -> None:
    made = SpeakerNet(SMALL)
    made.load_state_dict(small.state_dict())
    made.state_dict()["bn1.num_batches_tracked"].fill_(123_457)  # beyond float16: it must stay a whole number
    made.save(tmp_path / "n.safetensors")
    again = SpeakerNet.load(tmp_path / "n.safetensors")
    assert again.config == SMALL and not again.training
    assert again.state_dict()["bn1.num_batches_tracked"].dtype == torch.int64
    for name, tensor in made.state_dict().items():
        kept = tensor.half().float() if tensor.is_floating_point() else tensor
        assert torch.equal(again.state_dict()[name], kept), name
    found, wanted = again.embed(voice(4000)), made.embed(voice(4000))
    assert torch.nn.functional.cosine_similarity(found, wanted).item() > 0.9999
