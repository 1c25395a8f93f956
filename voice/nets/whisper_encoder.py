"""Whisper's encoder (Radford et al. 2023, section 2.2): convolutions, sines for positions, pre-norm transformer layers.

Torch's own layers under the names that transformers gives them, so that weights go from the one to the other. Importing
transformers' class takes two seconds, which every command that speaks would pay for.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

LONGEST_PERIOD = 10_000.0  # of the sines, in frames over 2 pi


def sines(positions: int, width: int) -> torch.Tensor:
    """The table of positions [positions, width]: sines of falling frequency, then their cosines."""
    step = math.log(LONGEST_PERIOD) / (width // 2 - 1)
    speed = torch.exp(-step * torch.arange(width // 2))
    angle = torch.arange(positions)[:, None] * speed[None]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class SelfAttention(nn.Module):
    """Every frame looks at every frame, [B, T, D] -> [B, T, D]; keys have no bias."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, D] -> [B, heads, T, D / heads]"""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2).contiguous()

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """`mask`, broadcast to [B, heads, T, T], is true where a frame may be looked at."""
        query = self._split(self.q_proj(x) * (x.shape[-1] // self.heads) ** -0.5)  # scaled first, as published
        key, value = self._split(self.k_proj(x)), self._split(self.v_proj(x))
        dropout = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout, scale=1.0)
        return self.out_proj(seen.transpose(1, 2).flatten(2))


class EncoderLayer(nn.Module):
    """Attention, then two linear layers, each on a normed copy and added to what came in."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.self_attn = SelfAttention(width, heads, dropout)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """[B, T, D] -> [B, T, D]; `mask` as in SelfAttention."""
        x = x + F.dropout(self.self_attn(self.self_attn_layer_norm(x), mask), self.dropout, self.training)
        inner = self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))
        x = x + F.dropout(inner, self.dropout, self.training)
        if x.dtype == torch.float16:  # the largest values of some sizes leave its range
            x = x.clamp(-64504.0, 64504.0)
        return x


class WhisperEncoder(nn.Module):
    """The parts of the encoder, with what is known of its positions; `voice.nets.whisper` runs them."""

    def __init__(
        self, mels: int, width: int, layers: int, heads: int, inner: int, positions: int, dropout: float
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(mels, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(positions, width)
        self.embed_positions.weight.requires_grad_(False)
        self.embed_positions.weight.copy_(sines(positions, width))
        self.layers = nn.ModuleList(EncoderLayer(width, heads, inner, dropout) for _ in range(layers))
        self.layer_norm: nn.Module = nn.LayerNorm(width)
