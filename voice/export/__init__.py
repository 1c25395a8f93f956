"""Networks as files for other runtimes: which graphs there are, their inputs and outputs, and the test of each.

A case gives inputs of chosen lengths and the measure of a file's answer against the networks themselves, which know
nothing of the graphs (`voice.export.graphs`). `voice.export.onnx` and `voice.export.program` write the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from voice.export.graphs import Decode, Prefill, Reference, Step
from voice.nets.acoustic import Acoustic
from voice.nets.harmonics import Harmonics
from voice.nets.semantic import Semantic

NOISE_SCALE = 0.5  # of the cases; the files take any

Tensors = tuple[torch.Tensor, ...]
Lengths = Mapping[str, int]
# A file's outputs -> the largest difference of each, by name. What bears another name is told and not judged.
Measure = Callable[[Sequence[torch.Tensor]], dict[str, float]]


@dataclass(frozen=True)
class Port:
    """One input or output. Sizes are numbers or named lengths ("n", "2*n"); ids (int64) lie in [0, below)."""

    name: str
    shape: tuple[int | str, ...]
    dtype: str = "float32"
    below: int | None = None


@dataclass(frozen=True)
class Graph:
    """A network's part as one function of tensors. `network` names the weights file; `about` goes into the sidecar."""

    name: str
    network: str
    module: nn.Module
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    traced: Lengths
    checked: tuple[Lengths, ...]
    case: Callable[[Lengths], tuple[Tensors, Measure]]
    about: Mapping[str, Any] = field(default_factory=dict)


def all_graphs(semantic: Semantic, acoustic: Acoustic) -> list[Graph]:
    """s1_prefill, s1_step, s2_reference and s2_decode. Raises UserError when the decoder cannot be exported."""
    c = acoustic.config
    common = {"sample_rate": c.sample_rate, "samples_per_token": 2 * c.hop}
    graphs = [*semantic_graphs(semantic), *acoustic_graphs(acoustic)]
    return [replace(graph, about={**common, **graph.about}) for graph in graphs]


def semantic_graphs(semantic: Semantic) -> list[Graph]:
    """s1 as prefill and step; their truth is the teacher-forced network, which has no cache."""
    c = semantic.config
    prefill, step = Prefill(semantic), Step(semantic)

    def start(phones: int, prompt: int) -> Tensors:
        dice = _dice()
        bert = [torch.randn(1, phones, c.bert, generator=dice)] if c.bert else []
        return _ids(c.phones, phones, dice), _ids(c.codes, prompt, dice), *bert

    def truth(phones: torch.Tensor, prompt: torch.Tensor, bert: torch.Tensor | None = None) -> Tensors:
        logits = semantic(phones, torch.tensor([phones.shape[1]]), prompt, bert)[0][:, -1]
        return logits, prefill(phones, prompt, bert)[1]

    def prefill_case(lengths: Lengths) -> tuple[Tensors, Measure]:
        inputs = start(lengths["P"], lengths["p"])
        return inputs, _against(("logits", "cache"), truth(*inputs))

    def step_case(lengths: Lengths) -> tuple[Tensors, Measure]:
        phones = lengths["T"] // 2 + 1
        text, tokens, *bert = start(phones, lengths["T"] - phones + 1)
        cache = prefill(text, tokens[:, :-1], *bert)[1]
        place = torch.tensor([tokens.shape[1] - 1])
        return (tokens[:, -1:], place, cache), _against(("logits", "grown"), truth(text, tokens, *bert))

    def cache(name: str, size: str) -> Port:
        return Port(name, (c.layers, 2, c.heads, size, c.hidden // c.heads))

    logits = Port("logits", (1, c.codes + 1))
    bert = (Port("bert", (1, "P", c.bert)),) if c.bert else ()
    text = (Port("phones", (1, "P"), "int64", c.phones), Port("prompt", (1, "p"), "int64", c.codes), *bert)
    token = (Port("token", (1, 1), "int64", c.codes), Port("position", (1,), "int64"), cache("cache", "T"))
    about = {"eos": c.eos}
    return [
        Graph(
            "s1_prefill", "semantic", prefill, text, (logits, cache("cache", "P+p")),
            {"P": 13, "p": 7}, ({"P": 1, "p": 0}, {"P": 40, "p": 0}, {"P": 30, "p": 60}), prefill_case, about,
        ),
        Graph(
            "s1_step", "semantic", step, token, (logits, cache("grown", "T+1")),
            {"T": 11}, ({"T": 1}, {"T": 90}), step_case, about,
        ),
    ]  # fmt: skip


def acoustic_graphs(acoustic: Acoustic) -> list[Graph]:
    """s2 as reference and decode."""
    c = acoustic.config
    decode, reference = Decode(acoustic), Reference(acoustic)
    voiced = acoustic.dec if isinstance(acoustic.dec, Harmonics) else None

    def clip(frames: int) -> Tensors:
        dice = _dice()
        speaker = [torch.randn(1, c.speaker, generator=dice)] if c.speaker else []
        return torch.rand(1, c.bins, frames, generator=dice), *speaker

    def condition(frames: int) -> torch.Tensor:
        spec, *speaker = clip(frames)
        return acoustic.reference(spec, None, *speaker)

    def reference_case(lengths: Lengths) -> tuple[Tensors, Measure]:
        return clip(lengths["T"]), _against(("ge",), (condition(lengths["T"]),))

    def decode_case(lengths: Lengths) -> tuple[Tensors, Measure]:
        n, dice, heard = lengths["n"], _dice(), []
        codes, phones, ge = _ids(c.codes, n, dice), _ids(c.phones, lengths["P"], dice), condition(40)
        noise = torch.randn(1, c.inter, 2 * n, generator=_dice()) * NOISE_SCALE  # what the network is about to draw
        listener = acoustic.dec.register_forward_pre_hook(lambda _, given: heard.append(given))
        audio = acoustic.decode(codes, phones, ge, NOISE_SCALE, generator=_dice())
        listener.remove()
        inputs = (codes, phones, ge, noise)
        if voiced is None:
            return inputs, _against(("audio",), (audio,))
        breath = torch.randn(1, audio.shape[-1], generator=torch.Generator().manual_seed(0))  # as the decoder's own
        return (*inputs, breath), _against_voiced(voiced, audio, *heard[0])

    spec = Port("spectrogram", (1, c.bins, "T"))
    speaker = (Port("speaker", (1, c.speaker)),) if c.speaker else ()
    ge = Port("ge", (1, c.gin, 1))
    size = f"{2 * c.hop}*n"
    inputs = [Port("codes", (1, "n"), "int64", c.codes), Port("phones", (1, "P"), "int64", c.phones), ge]
    inputs.append(Port("noise", (1, c.inter, "2*n")))
    outputs = [Port("audio", (1, 1, size))]
    if voiced is not None:
        inputs.append(Port("breath", (1, size)))
        outputs.append(Port("f0", (1, "4*n")))
    about = {"hop": c.hop, "n_fft": c.n_fft, "win": c.win, "decoder": c.decoder}
    return [
        Graph(
            "s2_reference", "acoustic", reference, (spec, *speaker), (ge,),
            {"T": 23}, ({"T": 3}, {"T": 150}), reference_case, about,
        ),
        Graph(
            "s2_decode", "acoustic", decode, tuple(inputs), tuple(outputs),
            {"n": 9, "P": 7}, ({"n": 1, "P": 1}, {"n": 26, "P": 40}), decode_case, about,
        ),
    ]  # fmt: skip


def _dice() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def _ids(below: int, count: int, dice: torch.Generator) -> torch.Tensor:
    return torch.randint(below, (1, count), generator=dice)


def _against(names: Sequence[str], expected: Tensors) -> Measure:
    """Largest absolute difference of each output from `expected`."""

    def measure(found: Sequence[torch.Tensor]) -> dict[str, float]:
        pairs = zip(names, found, expected, strict=True)
        return {name: float((mine - theirs).abs().max()) for name, mine, theirs in pairs}

    return measure


def _against_voiced(decoder: Harmonics, expected: torch.Tensor, latent: torch.Tensor, ge: torch.Tensor) -> Measure:
    """F0 in octaves against the network's, and the audio against what the network sounds like at the file's F0.

    Pulse times are sums of F0 and the number of harmonics is rounded down from it, so that the last bit of a float
    may move single samples by some thousandths: no fault of the file, and nothing that could be heard. That difference
    is told as `audio_at_own_f0`.
    """
    tonal, breath, own = decoder.parts(latent, ge)
    octaves = own.clamp(min=1).log2()

    def measure(found: Sequence[torch.Tensor]) -> dict[str, float]:
        audio, f0 = found
        return {
            "audio": float((audio - decoder.sound(tonal, breath, f0)).abs().max()),
            "f0": float((f0.clamp(min=1).log2() - octaves).abs().max()),
            "audio_at_own_f0": float((audio - expected).abs().max()),
        }

    return measure
