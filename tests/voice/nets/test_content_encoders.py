"""Content encoders: frames, padding, windows, and what the reference implementations give."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from tests.voice.nets.small_parts import (
    CONTENT_SIZES,
    NEW_CONTENT,
    content,
    tones,
)
from voice.nets import wavlm, whisper
from voice.nets.content import make_content
from voice.train.batching import pad_right


@pytest.mark.parametrize("case", CONTENT_SIZES)
@pytest.mark.parametrize("size", [320, 9599, 9600, 9919])
def test_there_is_a_frame_for_every_320_samples(case: str, size: int) -> None:
    with torch.no_grad():
        frames, counts = content(case).features(0.1 * torch.randn(2, size))
    assert frames.shape == (2, size // 320, 32) and counts.tolist() == [size // 320] * 2
    assert torch.isfinite(frames).all()


# HuBERT is left out: its mel front and its group norm both take means that know a little of the pads.
@pytest.mark.parametrize("case", NEW_CONTENT)
def test_company_changes_nothing_in_a_clip(case: str) -> None:
    encoder, wav = content(case), 0.1 * torch.randn(3, 12800)
    lengths = torch.tensor([12800, 5000, 9700])
    padded = wav * (torch.arange(12800) < lengths[:, None])
    with torch.no_grad():
        together, counts = encoder.features(padded, lengths)
        assert counts.tolist() == [40, 15, 30]
        for row, size in enumerate(lengths.tolist()):
            alone, _ = encoder.features(wav[row : row + 1, :size])
            assert torch.allclose(together[row, : size // 320], alone[0], atol=1e-4)


@pytest.mark.parametrize("case", NEW_CONTENT)
def test_a_clip_below_one_frame_is_refused(case: str) -> None:
    with pytest.raises(ValueError, match="too few"):
        content(case).features(torch.zeros(2, 640), torch.tensor([640, 319]))


@pytest.mark.parametrize("case", CONTENT_SIZES)
def test_a_content_encoder_learns_to_tell_tones_apart(case: str) -> None:
    encoder, wav = content(case).train(), torch.stack(tones(16000))
    labels = torch.arange(4).repeat_interleave(10).repeat(2)
    head = torch.nn.Linear(encoder.dim, 4)
    optimiser = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=2e-3)
    losses = []
    for _ in range(30):
        frames, _ = encoder.features(wav)
        even = frames / frames.square().mean().sqrt()  # posteriors are small numbers
        loss = F.cross_entropy(head(even).flatten(0, 1), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("layer", [0, 1, 3])
def test_wavlm_gives_the_hidden_states_of_the_reference(stable: bool, layer: int) -> None:
    config = CONTENT_SIZES["wavlm"][1] | {"layers": 3, "feature_layer": layer, "stable": stable, "pad": False}
    encoder = make_content("wavlm", config | {"norm": "layer" if stable else "group"}).eval()
    assert isinstance(encoder, wavlm.WavlmContent)
    wav = 0.1 * torch.randn(2, 6000)
    with torch.no_grad():
        found, counts = encoder.features(wav)
        out = encoder.wavlm(wav, output_hidden_states=True)
    wanted = out.last_hidden_state if layer == 3 else out.hidden_states[layer]
    assert counts.tolist() == [(6000 - 400) // 320 + 1] * 2
    assert torch.allclose(found, wanted, atol=1e-5)


def reference(encoder: whisper.WhisperContent) -> WhisperEncoder:
    """The encoder of transformers with the same weights; both must have the same names."""
    c = encoder.config
    made = WhisperEncoder(
        WhisperConfig(
            num_mel_bins=c.mels, d_model=c.hidden, encoder_layers=c.layers, encoder_attention_heads=c.heads,
            encoder_ffn_dim=c.ffn, max_source_positions=c.positions, dropout=0.0,
        )
    )  # fmt: skip
    positions = "embed_positions.weight"
    assert torch.equal(made.state_dict()[positions], encoder.encoder.state_dict()[positions])
    made.load_state_dict(encoder.encoder.state_dict())
    made.set_attn_implementation("sdpa")
    return made.eval()


def test_whisper_hears_what_the_reference_hears() -> None:
    for layer in (0, 1, 2):
        sizes = CONTENT_SIZES["whisper filled"][1] | {"positions": 100, "feature_layer": layer}
        encoder = make_content("whisper", sizes).eval()
        assert isinstance(encoder, whisper.WhisperContent)
        waves = [0.1 * torch.randn(11111), torch.randn(20100)]
        extractor = WhisperFeatureExtractor(feature_size=20, chunk_length=2)
        wanted = torch.from_numpy(
            extractor([wav.numpy() for wav in waves], sampling_rate=16000, return_tensors="np")["input_features"]
        )
        padded, lengths = pad_right(waves)
        with torch.no_grad():
            mel, _ = encoder.mel(padded, torch.tensor([71, 127]))
            found, counts = encoder.features(padded, lengths)
            out = reference(encoder)(wanted, output_hidden_states=True)
        assert torch.allclose(mel, wanted[..., :127], atol=1e-5)
        states = out.last_hidden_state if layer == 2 else out.hidden_states[layer]
        for row, count in enumerate(counts.tolist()):
            assert torch.allclose(found[row, :count], states[row, :count], atol=1e-5)


def test_a_layer_gives_the_bytes_that_the_reference_gives() -> None:
    encoder = make_content("whisper", CONTENT_SIZES["whisper"][1]).eval()
    assert isinstance(encoder, whisper.WhisperContent)
    x = torch.randn(3, 50, encoder.config.hidden)
    known = (torch.arange(50) < torch.tensor([50, 31, 8])[:, None])[:, None, None]
    with torch.no_grad():
        for own, theirs in zip(encoder.encoder.layers, reference(encoder).layers, strict=True):
            assert all(torch.equal(own(x, mask), theirs(x, mask)) for mask in (None, known))


def test_whisper_reads_long_clips_in_windows_without_a_seam() -> None:
    """Before the first layer a frame is its sound plus its place in its window, and the sound must be the same."""
    sizes = CONTENT_SIZES["whisper"][1] | {"feature_layer": 0}
    short, long = (make_content("whisper", sizes | {"positions": positions}).eval() for positions in (60, 200))
    assert isinstance(short, whisper.WhisperContent) and isinstance(long, whisper.WhisperContent)
    long.encoder.conv1.load_state_dict(short.encoder.conv1.state_dict())
    long.encoder.conv2.load_state_dict(short.encoder.conv2.state_dict())
    with torch.no_grad():
        wav = 0.1 * torch.randn(1, 320 * 150)
        windowed, counts = short.features(wav)
        whole, _ = long.features(wav)
    assert counts.tolist() == [150]
    table, place = long.encoder.embed_positions.weight, torch.arange(150)
    assert whisper.window_starts(150, 60) == [0, 45, 90]
    start = torch.where(place < 52, 0, torch.where(place < 97, 45, 90))
    assert torch.allclose(windowed[0] - table[place - start], whole[0] - table[place], atol=1e-5)


@pytest.mark.parametrize("count", [3, 60, 61, 109, 150, 1000])
@pytest.mark.parametrize("size", [2, 7, 60])
def test_windows_cover_a_clip_and_overlap(count: int, size: int) -> None:
    starts = whisper.window_starts(count, size)
    steps = [after - before for before, after in zip(starts, starts[1:], strict=False)]
    assert starts[0] == 0 and starts[-1] == max(0, count - size)
    assert all(0 < step <= size - size // 5 for step in steps)


def test_published_encoders_have_their_published_sizes() -> None:
    with torch.device("meta"):
        found = {
            "wavlm": wavlm.WavlmContent(),
            "wavlm large": wavlm.WavlmContent(wavlm.LARGE),
            "whisper base": whisper.WhisperContent(),
            "whisper large-v3": whisper.WhisperContent(whisper.SIZES["large-v3"]),
        }
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in found.items()}
    assert counts == {
        "wavlm": 94_381_936,
        "wavlm large": 315_453_120,
        "whisper base": 20_590_592,
        "whisper large-v3": 636_968_960,
    }


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("wavlm", {"feature_layer": 13}),
        ("wavlm", {"conv_stride": [5, 2, 2, 2, 2, 2, 1]}),
        ("whisper", {"feature_layer": -1}),
        ("whisper", {"positions": 1}),
        ("whisper", {"colour": 3}),
        ("hubert", wavlm.WavlmContentConfig()),
    ],
)
def test_settings_that_do_not_fit_are_refused(name: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"layers|320|2 frames|colour|takes a ContentConfig"):
        make_content(name, wrong)
