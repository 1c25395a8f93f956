"""Building blocks of the acoustic network: VITS-style transformer, WaveNet stack, ConvNeXt block.

Shapes are [B, channels, T]; masks are [B, 1, T] with 1 on real frames (specification 3.3 and 3.7).
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm


def length_mask(lengths: torch.Tensor, size: int) -> torch.Tensor:
    """[B] lengths -> [B, 1, size] float mask, 1 on the first `length` positions (padding on the right)."""
    return (torch.arange(size, device=lengths.device)[None] < lengths[:, None]).float().unsqueeze(1)


class ChannelNorm(nn.Module):
    """Layer norm over channels of [B, C, T], eps 1e-5."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x.transpose(1, -1), (x.shape[1],), self.gamma, self.beta, 1e-5).transpose(1, -1)


class Attention(nn.Module):
    """Multi-head attention over [B, C, T]; `window` adds learned relative positions shared by the heads."""

    def __init__(self, channels: int, heads: int, dropout: float = 0.0, window: int | None = None) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.conv_q = nn.Conv1d(channels, channels, 1)
        self.conv_k = nn.Conv1d(channels, channels, 1)
        self.conv_v = nn.Conv1d(channels, channels, 1)
        self.conv_o = nn.Conv1d(channels, channels, 1)
        self.drop = nn.Dropout(dropout)
        if window is not None:
            width = channels // heads
            self.emb_rel_k = nn.Parameter(torch.randn(1, 2 * window + 1, width) * width**-0.5)
            self.emb_rel_v = nn.Parameter(torch.randn(1, 2 * window + 1, width) * width**-0.5)
        for conv in (self.conv_q, self.conv_k, self.conv_v):
            nn.init.xavier_uniform_(conv.weight)

    def forward(self, x: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Queries from x [B, C, T], keys and values from memory [B, C, S]; mask [B, 1, T or 1, S], 1 = visible."""
        return self.look(x, memory, mask)[0]

    def look(self, x: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As `forward`, with the attention weights [B, heads, T, S] beside the result."""
        batch, channels, steps = x.shape
        width = channels // self.heads

        def split(y: torch.Tensor) -> torch.Tensor:
            return y.view(batch, self.heads, width, -1).transpose(2, 3)

        query, key, value = split(self.conv_q(x)), split(self.conv_k(memory)), split(self.conv_v(memory))
        score = query @ key.transpose(-2, -1) / math.sqrt(width)
        if self.window is not None:
            offset = torch.arange(steps, device=x.device)[None] - torch.arange(steps, device=x.device)[:, None]
            near = offset.abs() <= self.window
            index = offset.clamp(-self.window, self.window) + self.window
            relative = query @ self.emb_rel_k[0].T / math.sqrt(width)  # [B, heads, T, 2w+1]
            picked = relative.gather(-1, index.expand(batch, self.heads, steps, steps))
            score = score + picked * near
        score = score.masked_fill(mask == 0, -1e4)
        weight = self.drop(score.float().softmax(-1).to(value.dtype))
        out = weight @ value
        if self.window is not None:
            spread = weight.new_zeros(batch, self.heads, steps, 2 * self.window + 1)
            spread.scatter_add_(-1, index.expand(batch, self.heads, steps, steps), weight * near)
            out = out + spread @ self.emb_rel_v[0].to(value.dtype)
        return self.conv_o(out.transpose(2, 3).reshape(batch, channels, steps)), weight


class FeedForward(nn.Module):
    """conv - ReLU - conv with zero "same" padding; the input of each conv is masked."""

    def __init__(self, channels: int, filters: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.conv_1 = nn.Conv1d(channels, filters, kernel, padding=kernel // 2)
        self.conv_2 = nn.Conv1d(filters, channels, kernel, padding=kernel // 2)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.drop(torch.relu(self.conv_1(x * mask)))
        return self.conv_2(hidden * mask) * mask


class Encoder(nn.Module):
    """Post-norm transformer with relative positions (window 4)."""

    def __init__(self, channels: int, filters: int, heads: int, layers: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.attn_layers = nn.ModuleList(Attention(channels, heads, dropout, window=4) for _ in range(layers))
        self.norm_layers_1 = nn.ModuleList(ChannelNorm(channels) for _ in range(layers))
        self.ffn_layers = nn.ModuleList(FeedForward(channels, filters, kernel, dropout) for _ in range(layers))
        self.norm_layers_2 = nn.ModuleList(ChannelNorm(channels) for _ in range(layers))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        pair = mask.unsqueeze(2) * mask.unsqueeze(-1)
        x = x * mask
        parts = zip(self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True)
        for attend, norm_1, feed, norm_2 in parts:
            x = norm_1(x + self.drop(attend(x, x, pair)))
            x = norm_2(x + self.drop(feed(x, mask)))
        return x * mask


class WaveNet(nn.Module):
    """Gated convolution stack with a conditioning vector [B, gin, 1] added in every layer (weight norm)."""

    def __init__(self, hidden: int, kernel: int, layers: int, gin: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.cond_layer = weight_norm(nn.Conv1d(gin, 2 * hidden * layers, 1))
        self.in_layers = nn.ModuleList(
            weight_norm(nn.Conv1d(hidden, 2 * hidden, kernel, padding=kernel // 2)) for _ in range(layers)
        )
        self.res_skip_layers = nn.ModuleList(
            weight_norm(nn.Conv1d(hidden, 2 * hidden if i < layers - 1 else hidden, 1)) for i in range(layers)
        )

    def forward(self, x: torch.Tensor, mask: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        out = torch.zeros_like(x)
        condition = self.cond_layer(condition)
        for i, (conv, skip) in enumerate(zip(self.in_layers, self.res_skip_layers, strict=True)):
            gate = conv(x) + condition[:, 2 * self.hidden * i : 2 * self.hidden * (i + 1)]
            done = skip(torch.tanh(gate[:, : self.hidden]) * torch.sigmoid(gate[:, self.hidden :]))
            if i < len(self.in_layers) - 1:
                x = (x + done[:, : self.hidden]) * mask
                out = out + done[:, self.hidden :]
            else:
                out = out + done
        return out * mask


class ConvNeXt(nn.Module):
    """Depthwise conv k7, layer norm, two pointwise layers, scaled residual (Liu et al. 2022, as in Vocos)."""

    def __init__(self, channels: int, filters: int, scale: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.up = nn.Linear(channels, filters)
        self.down = nn.Linear(filters, channels)
        self.gamma = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, T] -> [B, C, T]."""
        hidden = self.norm(self.depthwise(x).transpose(1, 2))
        return x + (self.gamma * self.down(F.gelu(self.up(hidden)))).transpose(1, 2)
