"""Phone posteriors as content frames: what they are, company, edges, and their file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.nets.small_parts import content, tones
from voice.errors import UserError
from voice.nets.content import load_content, load_phone_recogniser
from voice.nets.content_frames import HOP, PhoneRecogniser
from voice.nets.whisper_units import WhisperUnits, WhisperUnitsConfig
from voice.train.batching import pad_right
from voice.weights import load_tensors

UNITS = 32


def encoder() -> WhisperUnits:
    made = content("whisper units")
    assert isinstance(made, WhisperUnits)
    torch.nn.init.normal_(made.head.frame.weight, 0, 0.3)  # so that some units stand out
    torch.nn.init.normal_(made.head.ctc.weight, 0, 0.3)
    return made


@settings(max_examples=12, deadline=None)
@given(size=st.integers(HOP, 30 * HOP), seed=st.integers(0, 99))
@torch.no_grad()
def test_frames_are_square_roots_of_probabilities_one_for_every_320_samples(size: int, seed: int) -> None:
    wav = 0.1 * torch.randn(1, size, generator=torch.Generator().manual_seed(seed))
    frames, logs, counts = encoder().features_and_log_probs(wav)
    assert counts.tolist() == [size // HOP]
    assert frames.shape == logs.shape == (1, size // HOP, UNITS)
    assert (frames >= 0).all() and torch.allclose(frames.square().sum(-1), torch.ones(1, size // HOP), atol=1e-5)
    assert torch.allclose(logs.exp().sum(-1), torch.ones(1, size // HOP), atol=1e-5)
    assert not torch.allclose(frames.square().log(), logs, atol=0.1), "the CTC output is another"


@torch.no_grad()
def test_company_changes_neither_frames_nor_ctc() -> None:
    net, waves = encoder(), [0.1 * torch.randn(size) for size in (12800, 320, 5000, 9700)]
    waves[2][2500:] *= 10
    padded, lengths = pad_right(waves)
    frames, logs, counts = net.features_and_log_probs(padded + (padded == 0), lengths)  # pads are anything
    assert counts.tolist() == [40, 1, 15, 30]
    for row, wav in enumerate(waves):
        alone, alone_logs, (count,) = net.features_and_log_probs(wav[None])
        assert count == counts[row]
        assert torch.allclose(frames[row, :count], alone[0], atol=1e-4)
        assert torch.allclose(logs[row, :count], alone_logs[0], atol=1e-4)


@torch.no_grad()
def test_one_pass_gives_what_two_passes_give() -> None:
    net, wav = encoder(), torch.stack(tones(16000))
    frames, logs, counts = net.features_and_log_probs(wav)
    assert torch.equal(net.features(wav)[0], frames) and torch.equal(net.log_probs(wav)[0], logs)
    assert torch.equal(net.log_probs(wav)[1], counts) and net.dim == UNITS


@pytest.mark.parametrize("lengths", [[640, 319], [319], [0, 640]])
def test_a_clip_below_one_frame_is_refused(lengths: list[int]) -> None:
    wav = 0.1 * torch.randn(len(lengths), max(lengths))
    for read in (encoder().features, encoder().log_probs):
        with pytest.raises(ValueError, match=f"{min(lengths)} samples are too few"):
            read(wav, torch.tensor(lengths))


@torch.no_grad()
@pytest.mark.parametrize("gain", [0.01, 20.0])
def test_a_recording_reads_the_same_at_any_level(gain: float) -> None:
    net, wav = encoder(), torch.stack(tones(16000))
    assert torch.allclose(net.features(gain * wav)[0], net.features(wav)[0], atol=1e-4)


@torch.no_grad()
def test_digital_silence_and_a_clip_beyond_the_window_are_read() -> None:
    for wav in (torch.zeros(1, 6400), 0.1 * torch.randn(1, 150 * HOP)):
        frames, counts = encoder().features(wav)
        assert torch.isfinite(frames).all() and counts.tolist() == [wav.shape[1] // HOP] == [frames.shape[1]]


def test_every_weight_learns_from_one_of_the_two_outputs() -> None:
    net = encoder().train()
    frames, logs, _ = net.features_and_log_probs(torch.stack(tones(16000)))
    ((frames * torch.randn_like(frames)).sum() + (logs * torch.randn_like(logs)).sum()).backward()
    still = [name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert still == ["whisper.encoder.embed_positions.weight"]


def test_a_file_is_small_holds_no_positions_and_comes_back(tmp_path: Path) -> None:
    net, file = encoder(), tmp_path / "content.safetensors"
    net.save(file, {"corpus": "tones"})
    tensors, meta = load_tensors(file)
    assert meta["corpus"] == "tones" and not any("embed_positions" in name for name in tensors)
    assert {how["bits"] for name, how in meta["packed"].items() if name.startswith("whisper.encoder.")} == {4}
    assert {how["bits"] for name, how in meta["packed"].items() if name.startswith("head.")} == {8}
    assert tensors["project.weight"].dtype == torch.float16
    again = load_phone_recogniser(file)
    assert isinstance(again, WhisperUnits) and again.config == net.config and not again.training
    place = "whisper.encoder.embed_positions.weight"
    assert torch.equal(again.state_dict()[place], net.state_dict()[place])
    for name, tensor in again.state_dict().items():
        assert torch.allclose(tensor, net.state_dict()[name], atol=0.2 * float(net.state_dict()[name].abs().max())), (
            name
        )


def test_saving_what_was_read_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    for seed in range(3):
        torch.manual_seed(seed)
        WhisperUnits(WhisperUnitsConfig(hidden=32, layers=2, heads=2, ffn=48, positions=60, units=UNITS)).save(first)
        load_content(first).save(second)
        assert second.read_bytes() == first.read_bytes()


def test_an_encoder_without_a_ctc_head_is_no_recogniser(tmp_path: Path) -> None:
    file = tmp_path / "content.safetensors"
    content("whisper").save(file)
    assert not isinstance(load_content(file), PhoneRecogniser)
    with pytest.raises(UserError, match="content-whisper has no CTC head"):
        load_phone_recogniser(file)
