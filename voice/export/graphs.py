"""The networks as functions of plain tensors: what the exported files compute.

Nothing in them is drawn, so equal inputs give equal outputs, and every length may vary. One sentence is prefill once,
step until the sampler ends (`voice.nets.sampling`), decode once. Networks are in evaluation mode, on the CPU.
"""

from __future__ import annotations

import copy
import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from voice.errors import UserError
from voice.nets.acoustic import Acoustic
from voice.nets.frame_decoder import IstftDecoder
from voice.nets.generator import HifiGan
from voice.nets.harmonics import MIDDLE_LOG_F0, Harmonics, ShortTime
from voice.nets.semantic import Layer, Semantic


class Prefill(nn.Module):
    """s1 over text and prompt: the logits of the first token and what every layer remembers."""

    def __init__(self, semantic: Semantic) -> None:
        super().__init__()
        self.semantic = semantic

    def forward(self, phones: Tensor, prompt: Tensor, bert: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """phones int64 [1, P], prompt int64 [1, p] (p may be 0), bert float32 [1, P, D] where the config has BERT.

        Returns logits float32 [1, codes + 1] and the cache float32 [layers, 2, heads, P + p, d], keys then values.
        """
        net, size = self.semantic, phones.shape[1]
        x = torch.cat([net.embed_text(phones, bert), net.audio_position(net.audio_embedding(prompt))], dim=1)
        place = torch.arange(x.shape[1], device=x.device)
        query, key = place[:, None], place[None]
        mask = (key < size) | ((key <= query) & (query >= size))  # text sees text; audio sees text and earlier audio
        kept = []
        for layer in net.layers:
            q, k, v = cast(Layer, layer).qkv(x)
            kept.append(torch.cat([k, v]))
            x = cast(Layer, layer).finish(x, F.scaled_dot_product_attention(q, k, v, attn_mask=mask[None, None]))
        return net.predict(x[:, -1]), torch.stack(kept)


class Step(nn.Module):
    """s1 over one more token."""

    def __init__(self, semantic: Semantic) -> None:
        super().__init__()
        self.layers, self.predict = semantic.layers, semantic.predict
        self.embedding, self.position = semantic.audio_embedding, semantic.audio_position

    def forward(self, token: Tensor, position: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """token int64 [1, 1]; position int64 [1], its place among prompt and drawn tokens, from 0; cache of T places.

        Returns logits float32 [1, codes + 1] and the cache of T + 1 places, float32 [layers, 2, heads, T + 1, d].
        """
        x = self.position.at(self.embedding(token), position)
        news = []
        for layer, old in zip(self.layers, cache, strict=True):
            q, k, v = cast(Layer, layer).qkv(x)
            news.append(torch.cat([k, v]))
            keys, values = torch.cat([old[:1], k], dim=2), torch.cat([old[1:], v], dim=2)
            x = cast(Layer, layer).finish(x, F.scaled_dot_product_attention(q, keys, values))
        return self.predict(x[:, -1]), torch.cat([cache, torch.stack(news)], dim=3)


class Reference(nn.Module):
    """s2's timbre and style vector of one clip; several clips are joined by the mean of theirs."""

    def __init__(self, acoustic: Acoustic) -> None:
        super().__init__()
        self.encoder = acoustic.ref_enc
        self.speaker = acoustic.speaker_proj if acoustic.config.speaker else None
        self.bend = acoustic.prelu if acoustic.config.speaker else None

    def forward(self, spectrogram: Tensor, speaker: Tensor | None = None) -> Tensor:
        """Linear spectrogram float32 [1, bins, T], speaker float32 [1, S] for v2Pro -> ge float32 [1, gin, 1]."""
        ge = self.encoder(spectrogram, torch.ones_like(spectrogram[:, :1]))
        if self.speaker is None or self.bend is None or speaker is None:
            return ge
        return self.bend(ge + self.speaker(speaker)[..., None])


class Decode(nn.Module):
    """s2 at speed 1, its weight norm folded into plain weights.

    Raises UserError when the decoder is one for which no graph is known.
    """

    embed: Tensor

    def __init__(self, acoustic: Acoustic) -> None:
        super().__init__()
        self.register_buffer("embed", acoustic.quantiser.embed)
        self.enc_p, self.flow = acoustic.enc_p, folded(acoustic.flow)
        self.dec: nn.Module
        if isinstance(acoustic.dec, HifiGan):
            self.dec = folded(acoustic.dec)
        elif isinstance(acoustic.dec, Harmonics):
            self.dec = Voiced(acoustic.dec)
        elif isinstance(acoustic.dec, IstftDecoder):
            self.dec = Istft(acoustic.dec)
        else:
            name = getattr(acoustic.config, "decoder", type(acoustic.dec).__name__)
            raise UserError(f"decoder {name!r}: cannot be exported", "hifigan, istft, harmonic and envelope can")

    def forward(
        self, codes: Tensor, phones: Tensor, ge: Tensor, noise: Tensor, breath: Tensor | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """codes int64 [1, n], phones int64 [1, P], ge float32 [1, gin, 1], noise float32 [1, inter, 2n].

        `noise` is standard normal times the noise scale. `breath` float32 [1, N], standard normal, is for decoders
        with an F0 alone (harmonic, envelope). Returns audio float32 [1, 1, N], N = 2n * hop, and from those F0 too.
        """
        quantised = F.embedding(codes, self.embed).transpose(1, 2)
        frames = torch.stack([quantised, quantised], dim=-1).flatten(2)
        lengths = torch.ones_like(frames[:, 0]).sum(1)
        count = torch.ones_like(phones).sum(1)
        mean, logs, mask, _ = self.enc_p(frames, lengths, phones, count, ge)
        z = self.flow(mean + noise * logs.exp(), mask, ge, reverse=True)
        return self.dec(z, ge) if breath is None else self.dec(z, ge, breath)


class Fourier(nn.Module):
    """The short-time transforms of a decoder as two convolutions with one real basis, which every runtime has.

    Row k of the windowed basis is a cosine, row n_fft/2+1+k a negative sine: spectra are float32 [1, n_fft + 2, F],
    real part then imaginary part.
    """

    basis: Tensor
    share: Tensor
    window: Tensor

    def __init__(self, decoder: ShortTime) -> None:
        super().__init__()
        size, self.half_hop = decoder.n_fft, decoder.half_hop
        self.left, self.right = (size - self.half_hop) // 2, (size - self.half_hop + 1) // 2
        turns = torch.arange(size // 2 + 1)[:, None] * torch.arange(size) % size  # whole turns do not count
        angle = turns.double() * (2 * math.pi / size)
        basis = torch.cat([angle.cos(), -angle.sin()]) * decoder.window.double()
        share = torch.full((size // 2 + 1,), 2 / size)
        share[0] = share[-1] = 1 / size  # the other lines stand for their mirror images too
        self.register_buffer("basis", basis.float()[:, None])
        self.register_buffer("share", share.repeat(2)[:, None])
        self.register_buffer("window", decoder.window[None, None])

    def analyse(self, wav: Tensor) -> Tensor:
        """Samples [1, F * half_hop] -> spectra."""
        return F.conv1d(F.pad(wav[:, None], (self.left, self.right)), self.basis, stride=self.half_hop)

    def inverse(self, spec: Tensor) -> Tensor:
        """Spectra -> samples [1, 1, F * half_hop], overlapping frames divided by the sum of their squared windows."""
        count = spec.shape[2] * self.half_hop
        wav = F.conv_transpose1d(spec * self.share, self.basis, stride=self.half_hop)
        weight = F.conv_transpose1d(torch.ones_like(spec[:, :1]), self.window.square(), stride=self.half_hop)
        inside = slice(self.left, self.left + count)
        return wav[..., inside] / weight[..., inside].clamp(min=1e-3)


class Istft(nn.Module):
    """`IstftDecoder` in real arithmetic."""

    def __init__(self, decoder: IstftDecoder) -> None:
        super().__init__()
        self.net, self.fourier = decoder, Fourier(decoder)

    def forward(self, z: Tensor, ge: Tensor) -> Tensor:
        size, phase = self.net.head(self.net.frames(z, ge).transpose(1, 2)).transpose(1, 2).chunk(2, dim=1)
        size = size.clamp(max=6.0).exp()
        return self.fourier.inverse(torch.cat([size * phase.cos(), size * phase.sin()], dim=1))


class Voiced(nn.Module):
    """A decoder with an F0 (`Harmonics`) in real arithmetic, its noise an input."""

    def __init__(self, decoder: Harmonics) -> None:
        super().__init__()
        self.net, self.fourier = decoder, Fourier(decoder)

    def forward(self, z: Tensor, ge: Tensor, breath: Tensor) -> tuple[Tensor, Tensor]:
        """Audio [1, 1, F * half_hop] and F0 in Hz, 0 where unvoiced, [1, F]."""
        tonal, airy, f0 = self.net.parts(z, ge)
        tonal, airy = tonal.clamp(max=6.0).exp() * (f0 > 0).float()[:, None], airy.clamp(max=6.0).exp()
        spec = self.fourier.analyse(self.pulses(f0)) * tonal.repeat(1, 2, 1)
        return self.fourier.inverse(spec + self.fourier.analyse(breath) * airy.repeat(1, 2, 1)), f0

    def pulses(self, f0: Tensor) -> Tensor:
        """`Harmonics.pulses`, its interpolation written out, for F0 [1, F] -> [1, F * half_hop]."""
        f0 = bridge(f0)
        hop, rate, frames = self.net.half_hop, self.net.sample_rate, f0.shape[1]
        place = ((torch.arange(frames * hop, device=f0.device) + 0.5) * (1 / hop) - 0.5).clamp(min=0)
        before = place.floor()
        after = (before + 1).clamp(max=frames - 1)
        part = place - before
        samples = (f0[:, before.long()] * (1 - part) + f0[:, after.long()] * part).double()
        phase = (samples / rate).cumsum(1)
        phase = phase - phase.round()
        count = (0.5 * rate / samples).floor()
        below = torch.sin(torch.pi * phase)
        near = below.abs() < 1e-7
        ratio = torch.sin((2 * count + 1) * torch.pi * phase) / (2 * torch.where(near, 1.0, below))
        return (torch.where(near, count, ratio - 0.5) * (4 * samples / rate).sqrt()).float()


def bridge(f0: Tensor) -> Tensor:
    """F0 [1, F] with its zeros filled from the last voiced frame, or the first, or MIDDLE_LOG_F0.

    ONNX has no running maximum, so frame i takes the k-th voiced place, k the number of voiced frames up to i.
    """
    size, voiced = f0.shape[1], f0 > 0
    place = torch.arange(size, device=f0.device)
    known = torch.where(voiced, place, place + size).sort(dim=1).values  # the voiced places, then what lies outside
    rank = (voiced.long().cumsum(1) - 1).clamp(min=0)
    filled = f0.gather(1, known.gather(1, rank).clamp(max=size - 1))
    return torch.where(filled > 0, filled, math.exp(MIDDLE_LOG_F0))


def folded(module: nn.Module) -> nn.Module:
    """A copy of `module` in which weight norm has become plain weights.

    torch's own removal would undo it in the original too: copies share the class that holds the parametrisation.
    """
    module = copy.deepcopy(module)
    for part in list(module.modules()):
        if parametrize.is_parametrized(part, "weight"):
            weight = cast(Tensor, part.weight).detach()
            part.__class__ = parametrize.type_before_parametrizations(part)
            del part.parametrizations
            part.weight = nn.Parameter(weight)
    return module
