"""s1: phones and prompt tokens to semantic tokens (specification section 2).

- one post-norm transformer over [text | audio]; text sees text, audio sees text and earlier audio
- text is padded on the right and masked there; the first prediction is read at the true last phone, so a
  batch gives the sum of its items' losses
- decoding with a preallocated cache
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from voice.nets.decoding import Batch, SemanticDecoder, predicting_rows


@dataclass(frozen=True)
class SemanticConfig:
    """Sizes; the defaults are the mini base. `bert` 0 leaves the BERT projection out; published dropout is 0.1."""

    phones: int = 732
    codes: int = 512
    hidden: int = 256
    heads: int = 4
    ffn: int = 768
    layers: int = 5
    bert: int = 0
    dropout: float = 0.0

    @property
    def eos(self) -> int:
        return self.codes


class SinePosition(nn.Module):
    """x + alpha * PE: even columns sine, odd columns cosine, base 10000; alpha is learned."""

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1))
        self.drop = nn.Dropout(dropout)
        self.hidden = hidden

    def forward(self, x: torch.Tensor, start: int = 0) -> torch.Tensor:
        return self.drop(x + self.alpha * self._table(torch.arange(start, start + x.shape[1], device=x.device)))

    def at(self, x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """One step of several rows: x [B, 1, H] at positions [B]."""
        return self.drop(x + self.alpha * self._table(places)[:, None])

    def _table(self, places: torch.Tensor) -> torch.Tensor:
        scale = torch.exp(torch.arange(0, self.hidden, 2, device=places.device) * (-math.log(10000.0) / self.hidden))
        angle = places.float()[:, None] * scale
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


class Layer(nn.Module):
    """Post-norm transformer layer with packed q, k, v."""

    def __init__(self, config: SemanticConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.in_proj = nn.Linear(config.hidden, 3 * config.hidden)
        self.out_proj = nn.Linear(config.hidden, config.hidden)
        self.linear1 = nn.Linear(config.hidden, config.ffn)
        self.linear2 = nn.Linear(config.ffn, config.hidden)
        self.norm1 = nn.LayerNorm(config.hidden, eps=1e-5)
        self.norm2 = nn.LayerNorm(config.hidden, eps=1e-5)
        self.drop = nn.Dropout(config.dropout)
        self.rate = config.dropout

    def qkv(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """[B, T, H] -> three of [B, heads, T, H / heads]."""
        batch, steps, hidden = x.shape
        packed = self.in_proj(x).view(batch, steps, 3, self.heads, hidden // self.heads)
        query, key, value = packed.permute(2, 0, 3, 1, 4)
        return query, key, value

    def finish(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Output projection, residuals, norms and FFN around attention output [B, heads, T, d]."""
        x = self.norm1(x + self.drop(self.out_proj(seen.transpose(1, 2).flatten(2))))
        return self.norm2(x + self.drop(self.linear2(self.drop(torch.relu(self.linear1(x))))))

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, look: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """mask [B, 1, T, T], True = visible. With `look`, also the attention weights of head 0, [B, T, T]."""
        query, key, value = self.qkv(x)
        rate = self.rate if self.training else 0.0
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=rate)
        weights = None
        if look:
            score = (query[:, 0] @ key[:, 0].transpose(-2, -1)).float() / math.sqrt(query.shape[-1])
            weights = score.masked_fill(~mask[:, 0], -1e9).softmax(-1)
        return self.finish(x, seen), weights


class Semantic(SemanticDecoder):
    """The s1 decoder."""

    kind, config_class = "semantic", SemanticConfig
    config: SemanticConfig

    def __init__(self, config: SemanticConfig | None = None) -> None:
        c = config or SemanticConfig()
        super().__init__(c)
        self.text_embedding = nn.Embedding(c.phones, c.hidden)
        self.text_position = SinePosition(c.hidden, c.dropout)
        self.audio_embedding = nn.Embedding(c.codes + 1, c.hidden)
        self.audio_position = SinePosition(c.hidden, c.dropout)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.predict = nn.Linear(c.hidden, c.codes + 1, bias=False)

    def embed_text(self, phones: torch.Tensor, bert: torch.Tensor | None = None) -> torch.Tensor:
        """Phones [B, P] (and BERT [B, P, bert]; None counts as zeros) -> [B, P, H] with positions."""
        return self.text_position(self._with_bert(self.text_embedding(phones), bert))

    def embed_audio(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens [B, T] -> [B, T, H] with positions from 0."""
        return self.audio_position(self.audio_embedding(tokens))

    def forward(
        self,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        tokens: torch.Tensor,
        bert: torch.Tensor | None = None,
        look: tuple[int, ...] = (),
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Teacher-forced logits and attention, as the base class says."""
        text = self.embed_text(phones, bert)
        x = torch.cat([text, self.embed_audio(tokens)], dim=1)
        size, width = text.shape[1], x.shape[1]
        place = torch.arange(width, device=x.device)
        real = (place[None] < phone_lengths[:, None]) | (place[None] >= size)  # [B, width]
        causal = (place[None] < size) | (place[None] <= place[:, None])
        causal = causal & ((place[:, None] >= size) | (place[None] < size))  # text rows see no audio
        mask = (real[:, None] & causal[None]).unsqueeze(1)
        maps = []
        for number, layer in enumerate(self.layers):
            x, weights = layer(x, mask, number in look)
            if weights is not None:
                maps.append(predicting_rows(weights, phone_lengths, size)[..., :size])
        return self.predict(predicting_rows(x, phone_lengths, size)), maps

    def begin(
        self, x: torch.Tensor, pads: torch.Tensor, prompts: torch.Tensor, max_steps: int
    ) -> tuple[torch.Tensor, Batch]:
        """Logits of the first token and the batch, as the base class says."""
        rows, width, hidden = x.shape
        cache = x.new_empty(
            rows, len(self.layers), 2, self.config.heads, width + max_steps, hidden // self.config.heads
        )
        mask = _prefill_mask(width, pads, width - prompts)
        for number, layer in enumerate(self.layers):
            layer = cast(Layer, layer)
            query, key, value = layer.qkv(x)
            cache[:, number, 0, :, :width], cache[:, number, 1, :, :width] = key, value
            x = layer.finish(x, F.scaled_dot_product_attention(query, key, value, attn_mask=mask))
        return self.predict(x[:, -1]), _CachedBatch(self, pads, prompts, width, cache)


class _CachedBatch(Batch):
    """Keys and values of all places in one tensor, [B, layers, 2, heads, places, H / heads]; `places` of the next."""

    def __init__(self, net: Semantic, pads: torch.Tensor, places: torch.Tensor, used: int, cache: torch.Tensor) -> None:
        super().__init__(pads, used)
        self.net, self.places, self.cache = net, places, cache

    def keep(self, rows: list[int]) -> None:
        super().keep(rows)
        self.places, self.cache = self.places[rows], self.cache[rows]

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.net.audio_position.at(self.net.audio_embedding(tokens), self.places)
        seen, used = self.visible(), self.used
        for number, layer in enumerate(self.net.layers):
            layer = cast(Layer, layer)
            query, key, value = layer.qkv(x)
            keys, values = self.cache[:, number, 0], self.cache[:, number, 1]
            keys[:, :, used], values[:, :, used] = key[:, :, 0], value[:, :, 0]
            keys, values = keys[:, :, : used + 1], values[:, :, : used + 1]
            x = layer.finish(x, F.scaled_dot_product_attention(query, keys, values, attn_mask=seen))
        self.places, self.used = self.places + 1, used + 1
        return self.net.predict(x[:, -1])


def _prefill_mask(width: int, pads: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
    """Who sees whom in rows [B] of [pads | text | prompt], bool [B, 1, width, width]; pads see themselves alone."""
    place = torch.arange(width, device=pads.device)
    query, key = place[None, :, None], place[None, None, :]
    real, text = key >= pads[:, None, None], key < texts[:, None, None]
    seen = real & (text | (key <= query)) & (text | (query >= texts[:, None, None]))
    return (seen | (key == query)).unsqueeze(1)
