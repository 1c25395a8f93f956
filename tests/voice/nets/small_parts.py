"""Every swappable part at a size of a few thousand weights."""

from __future__ import annotations

import math
from typing import Any

import torch

from voice.nets.content import Content, make_content
from voice.nets.sampling import Sampling
from voice.nets.semantics import AnySemantic, make_semantic
from voice.train.batching import pad_right
from voice.train.semantic import Line, token_loss

GREEDY = Sampling(top_k=1, penalty=1.0)
CONV = {"conv_dim": [16] * 7, "position_kernel": 16, "position_groups": 4}
ENCODER = {"hidden": 32, "layers": 2, "heads": 2, "ffn": 48, "feature_layer": 1}
UNITS: dict[str, Any] = {"hidden": 32, "layers": 2, "heads": 2, "ffn": 48, "positions": 60}
UNITS |= {"directions": 16, "width": 24, "reach": 3, "units": 32}
CONTENT_SIZES: dict[str, tuple[str, dict[str, Any]]] = {
    "hubert": ("hubert", ENCODER | {"conv_dim": [32, 32], "position_kernel": 16, "position_groups": 4, "units": 5}),
    "wavlm": ("wavlm", ENCODER | CONV),
    "wavlm like large": ("wavlm", ENCODER | CONV | {"norm": "layer", "stable": True, "level": True}),
    "whisper": ("whisper", ENCODER | {"mels": 20, "positions": 60}),
    "whisper filled": ("whisper", ENCODER | {"mels": 20, "positions": 60, "fill": True}),
    "whisper units": ("whisper-units", UNITS),
}
NEW_CONTENT = [case for case in CONTENT_SIZES if case != "hubert"]
UPSAMPLING = {"channels": 16, "rates": [10, 8, 6], "kernels": [20, 16, 12]}
FRAMES = {"channels": 16, "blocks": [1, 1], "n_fft": 960}
DECODER_SIZES: dict[str, dict[str, Any]] = {
    "hifigan": UPSAMPLING,
    "bigvgan": UPSAMPLING,
    "istft": FRAMES,
    "harmonic": FRAMES,
    "envelope": {"channels": 16, "blocks": 1, "n_fft": 960, "mels": 20},
}
S1: dict[str, Any] = {"phones": 40, "codes": 20, "hidden": 32, "heads": 2, "ffn": 48, "layers": 2}
SEMANTIC_SIZES: dict[str, dict[str, Any]] = {"gpt": S1, "llama": S1 | {"heads": 4, "kv_heads": 2}}


def content(case: str) -> Content:
    torch.manual_seed(0)
    name, sizes = CONTENT_SIZES[case]
    return make_content(name, sizes).eval()


def semantic(name: str, **changes: Any) -> AnySemantic:
    torch.manual_seed(0)
    made = make_semantic(name, SEMANTIC_SIZES[name] | changes).eval()
    with torch.no_grad():
        for parameter in made.parameters():  # spread out, so that nothing is right by being small
            parameter.mul_(3 if name == "llama" and parameter.ndim > 1 else 1)
    return made


def tones(rate: int) -> list[torch.Tensor]:
    """Two clips of 0.8 s: tones that rise in four steps, in breath."""
    made = []
    for first in (120, 310):
        pitch = torch.tensor([1.0, 1.3, 1.6, 2.0]).repeat_interleave(rate // 5) * first
        breath = torch.randn(len(pitch), generator=torch.Generator().manual_seed(first))
        made.append(0.4 * torch.sin(2 * math.pi * (pitch / rate).cumsum(0)) + 0.02 * breath)
    return made


def item(phones: int, tokens: int, seed: int) -> Line:
    dice = torch.Generator().manual_seed(seed)
    return Line(torch.randint(0, 40, (phones,), generator=dice), torch.randint(0, 20, (tokens,), generator=dice))


def loss_of(model: AnySemantic, lines: list[Line]) -> float:
    phones, phone_counts = pad_right([line.phones for line in lines], 39)
    tokens, counts = pad_right([line.tokens for line in lines])
    bert = torch.zeros(*phones.shape, 6)
    for row, line in enumerate(lines):
        bert[row, : len(line.phones)] = line.phones[:, None] / 40
    with torch.no_grad():
        logits, _ = model(phones, phone_counts, tokens, bert)
    assert logits.shape == (len(lines), tokens.shape[1] + 1, 21)
    return float(token_loss(logits, tokens, counts, model.config.eos))
