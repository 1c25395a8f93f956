"""DiT and its sampling: from noise, a prompt mel and condition features to a mel (specification 3.10).

The network is a diffusion transformer with adaLN-zero blocks (Peebles & Xie 2023) in the form of F5-TTS (Chen et al.
2024): the condition goes through ConvNeXt-V2 blocks (Woo et al. 2023) and is joined to noise and prompt by channels.
It is trained by flow matching (Lipman et al. 2023) and told the step size too, so that few steps are enough
(shortcut models, Frans et al. 2024).

Time comes second in here, [B, T, channels]; `Dit` and `sample` take and give [B, channels, T].
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

POSITIONS = 4096  # of the condition's table; later frames share the last one
TIME_WIDTH = 256
EPS = 1e-6


def rotary_frequencies(width: int, base: float = 10000.0) -> torch.Tensor:
    """Angles a frame, float32 [width / 2], falling from 1 towards 1/base (rotary embedding, Su et al. 2021)."""
    return 1.0 / base ** (torch.arange(0, width, 2).float() / width)


def _sinusoids(value: torch.Tensor) -> torch.Tensor:
    """[B] in 0..1 -> float32 [B, TIME_WIDTH]: sines, then cosines, of 1000 * value."""
    half = TIME_WIDTH // 2
    rates = torch.exp(torch.arange(half, device=value.device) * (-math.log(10000.0) / (half - 1)))
    angles = 1000.0 * value.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def _position_table(steps: int, width: int, device: torch.device) -> torch.Tensor:
    """float32 [steps, width]: cosines, then sines, of the frame's place."""
    place = torch.arange(steps, device=device).clamp(max=POSITIONS - 1)
    angles = place[:, None] * rotary_frequencies(width).to(device)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def _rotate(x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Turn neighbouring pairs among the first 2W channels of x [B, T, C] by angles [T, W]; the rest stays.

    Quirk of the published weights: this happens before the heads are split, so only the first head knows positions.
    """
    size = 2 * angles.shape[-1]
    even, odd = x[..., :size:2].float(), x[..., 1:size:2].float()
    cos, sin = angles.cos(), angles.sin()
    turned = torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1).flatten(-2)
    return torch.cat([turned.to(x.dtype), x[..., size:]], dim=-1)


def _keep(x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """x [B, T, C] with padded frames at zero; mask [B, T, 1] or None for no padding."""
    return x if mask is None else x * mask


def _as_frames(mask: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor | None:
    """[B, 1, T] -> [B, T, 1] of the same dtype and device as `like`."""
    return None if mask is None else mask.transpose(1, 2).to(like)


def _along_time(conv: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return conv(x.transpose(1, 2)).transpose(1, 2)


class ResponseNorm(nn.Module):
    """Global response normalisation: channels compete by their norm over time (ConvNeXt-V2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, channels))

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        size = _keep(x, mask).float().norm(dim=1, keepdim=True)
        share = (size / (size.mean(dim=-1, keepdim=True) + EPS)).to(x.dtype)
        return self.gamma * (x * share) + self.beta + x


class ConditionBlock(nn.Module):
    """ConvNeXt-V2: depthwise conv k7, layer norm, wide GELU layer, response norm, residual. [B, T, C] both ways."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=EPS)
        self.up = nn.Linear(channels, filters)
        self.response = ResponseNorm(filters)
        self.down = nn.Linear(filters, channels)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        hidden = F.gelu(self.up(self.norm(_along_time(self.depthwise, _keep(x, mask)))))
        return x + self.down(self.response(hidden, mask))


class DitBlock(nn.Module):
    """Attention and feed-forward layer, each shifted, scaled and gated by the time embedding (adaLN-zero)."""

    def __init__(self, dim: int, heads: int, filters: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.modulate = _silent(dim, 6 * dim)
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        self.out = nn.Linear(dim, dim)
        self.feed = nn.Sequential(
            nn.Linear(dim, filters), nn.GELU("tanh"), nn.Dropout(dropout), nn.Linear(filters, dim)
        )
        self.drop = nn.Dropout(dropout)

    def forward(
        self, x: torch.Tensor, time: torch.Tensor, angles: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """x [B, T, dim], SiLU of the time embedding [B, 1, dim], angles [T, W], mask [B, T, 1] -> [B, T, dim]."""
        shift, scale, gate, shift_feed, scale_feed, gate_feed = self.modulate(time).chunk(6, dim=-1)
        x = x + gate * self._attend(_modulated(x, shift, scale), angles, mask)
        return x + gate_feed * self.feed(_modulated(x, shift_feed, scale_feed))

    def _attend(self, x: torch.Tensor, angles: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        def split(y: torch.Tensor) -> torch.Tensor:
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        query, key = _rotate(self.query(x), angles), _rotate(self.key(x), angles)
        seen = None if mask is None else (mask > 0).transpose(1, 2).unsqueeze(1)  # [B, 1, 1, T]
        heads = F.scaled_dot_product_attention(split(query), split(key), split(self.value(x)), attn_mask=seen)
        return _keep(self.drop(self.out(heads.transpose(1, 2).flatten(2))), mask)


def _silent(wide: int, out: int) -> nn.Linear:
    """A layer that gives zeros until it is trained."""
    made = nn.Linear(wide, out)
    nn.init.zeros_(made.weight)
    nn.init.zeros_(made.bias)
    return made


def _modulated(x: torch.Tensor, shift: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Layer norm without own parameters, then the given scale and shift."""
    return F.layer_norm(x, x.shape[-1:], eps=EPS) * (1 + scale) + shift


class Dit(nn.Module):
    """Velocity of the flow from noise to mel, given prompt, condition, time and step size (specification 3.10)."""

    inv_freq: torch.Tensor

    def __init__(
        self,
        mels: int = 100,
        condition: int = 512,
        dim: int = 1024,
        depth: int = 22,
        heads: int = 16,
        filters: int = 2048,
        condition_depth: int = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.mels = mels
        self.time, self.step = (
            nn.Sequential(nn.Linear(TIME_WIDTH, dim), nn.SiLU(), nn.Linear(dim, dim)) for _ in range(2)
        )
        self.condition = nn.ModuleList(ConditionBlock(condition, 2 * condition) for _ in range(condition_depth))
        self.join = nn.Linear(2 * mels + condition, dim)
        self.position = nn.ModuleList(nn.Conv1d(dim, dim, 31, padding=15, groups=16) for _ in range(2))
        self.register_buffer("inv_freq", rotary_frequencies(dim // heads))
        self.blocks = nn.ModuleList(DitBlock(dim, heads, filters, dropout) for _ in range(depth))
        self.modulate = _silent(dim, 2 * dim)
        self.out = _silent(dim, mels)

    def embed(self, features: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Condition features [B, D, T] -> what `velocity` takes, [B, T, D]; the same for every step of a sampling.

        `mask` [B, 1, T] is 1 on real frames; None where no item is padded.
        """
        seen = _as_frames(mask, features)
        x = features.transpose(1, 2)
        x = x + _position_table(x.shape[1], x.shape[2], x.device).to(x.dtype)
        for block in self.condition:
            x = block(x, seen)
        return x

    def velocity(
        self,
        x: torch.Tensor,
        prompt: torch.Tensor,
        embedded: torch.Tensor,
        time: torch.Tensor,
        step: torch.Tensor,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """State x and prompt [B, mels, T], `embed`'s result [B, T, D], time and step size [B] -> [B, mels, T].

        The prompt is zero after its frames; time runs from 0 (noise) to 1 (mel); a step of 0 asks for the tangent.
        """
        seen = _as_frames(mask, embedded)
        joined = self.join(torch.cat([x.transpose(1, 2), prompt.transpose(1, 2), embedded], dim=-1))
        hidden = joined
        for conv in self.position:
            hidden = F.mish(_along_time(conv, _keep(hidden, seen)))
        hidden = hidden + joined
        dtype = hidden.dtype
        now = self.time(_sinusoids(time).to(dtype)) + self.step(_sinusoids(step).to(dtype))
        now = F.silu(now).unsqueeze(1)
        angles = torch.arange(hidden.shape[1], device=hidden.device)[:, None] * self.inv_freq.float()
        for block in self.blocks:
            hidden = block(hidden, now, angles, seen)
        scale, shift = self.modulate(now).chunk(2, dim=-1)  # scale first, unlike in the blocks
        return self.out(_modulated(hidden, shift, scale)).transpose(1, 2)

    def forward(
        self,
        x: torch.Tensor,
        prompt: torch.Tensor,
        features: torch.Tensor,
        time: torch.Tensor,
        step: torch.Tensor,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """`velocity` of features that are not embedded yet, [B, D, T]: [B, mels, T]; padding changes no real frame."""
        return self.velocity(x, prompt, self.embed(features, mask), time, step, mask)


@torch.no_grad()
def sample(
    network: Dit,
    features: torch.Tensor,
    prompt: torch.Tensor,
    steps: int,
    temperature: float = 1.0,
    mask: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Follow the flow in `steps` Euler steps: features [B, D, T], prompt [B, mels, P] -> [B, mels, T].

    The features cover the prompt's P frames too, and those come back as zeros. Mels are normalised to about -1..1.
    `temperature` scales the noise of the start, drawn on the CPU from `generator`; `mask` is [B, 1, T]. No
    classifier-free guidance (specification 3.10). The result is float32 in any precision of the network.
    Raises ValueError without a step or a frame after the prompt.
    """
    count, size = prompt.shape[2], features.shape[2]
    if steps < 1:
        raise ValueError(f"{steps} steps: at least 1 is needed")
    if count >= size:
        raise ValueError(f"a prompt of {count} frames leaves nothing to fill in {size}")
    shape = (features.shape[0], network.mels, size)
    x = torch.randn(shape, generator=generator).to(features.device) * temperature
    x[..., :count] = 0
    ahead = F.pad(prompt.to(features), (0, size - count))
    embedded = network.embed(features, mask)
    step = torch.full((shape[0],), 1 / steps, device=x.device)
    for i in range(steps):
        x = x + network.velocity(x.to(features.dtype), ahead, embedded, step * i, step, mask).float() / steps
        x[..., :count] = 0
    return x
