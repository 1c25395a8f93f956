"""s1: phones and prompt tokens to semantic tokens (specification section 2).

- one post-norm transformer over [text | audio]; text sees text, audio sees text and earlier audio
- text is padded on the right and masked there; the first prediction is read at the true last phone, so a
  batch gives the sum of its items' losses
- decoding with a preallocated cache, one sampler, one generator per request, an explicit stop reason
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from voice.nets.sampling import Sampling, pick
from voice.nets.stored import Stored


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


@dataclass(frozen=True)
class Take:
    """Generated tokens [n] (without prompt and EOS) and why decoding stopped: "eos" or "max_steps"."""

    tokens: torch.Tensor
    stop: str


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


class Semantic(Stored):
    """The s1 decoder."""

    kind, config_class = "semantic", SemanticConfig
    config: SemanticConfig

    def __init__(self, config: SemanticConfig | None = None) -> None:
        c = config or SemanticConfig()
        super().__init__(c)
        self.bert_proj = nn.Linear(c.bert, c.hidden) if c.bert else None
        self.text_embedding = nn.Embedding(c.phones, c.hidden)
        self.text_position = SinePosition(c.hidden, c.dropout)
        self.audio_embedding = nn.Embedding(c.codes + 1, c.hidden)
        self.audio_position = SinePosition(c.hidden, c.dropout)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.predict = nn.Linear(c.hidden, c.codes + 1, bias=False)

    def embed_text(self, phones: torch.Tensor, bert: torch.Tensor | None = None) -> torch.Tensor:
        """Phones [B, P] (and BERT [B, P, bert]; None counts as zeros) -> [B, P, H] with positions."""
        x = self.text_embedding(phones)
        if self.bert_proj is not None:
            x = x + (self.bert_proj.bias if bert is None else self.bert_proj(bert))
        return self.text_position(x)

    def forward(
        self,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        tokens: torch.Tensor,
        bert: torch.Tensor | None = None,
        look: tuple[int, ...] = (),
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Teacher-forced logits.

        phones [B, P] padded on the right, tokens [B, T] (pads may hold any id). Returns logits [B, T+1, codes+1],
        of which row t predicts token t (row T: what follows the last token), and for each layer in `look` the
        attention of head 0 from those T+1 rows to the phones, [B, T+1, P].
        """
        text = self.embed_text(phones, bert)
        x = torch.cat([text, self.audio_position(self.audio_embedding(tokens))], dim=1)
        size, width = text.shape[1], x.shape[1]
        place = torch.arange(width, device=x.device)
        real = (place[None] < phone_lengths[:, None]) | (place[None] >= size)  # [B, width]
        causal = (place[None] < size) | (place[None] <= place[:, None])
        causal = causal & ((place[:, None] >= size) | (place[None] < size))  # text rows see no audio
        mask = (real[:, None] & causal[None]).unsqueeze(1)
        maps = []
        last = (phone_lengths - 1)[:, None, None]

        def rows(y: torch.Tensor) -> torch.Tensor:
            """The true last phone's row, then the audio rows."""
            return torch.cat([y.gather(1, last.expand(-1, 1, y.shape[-1])), y[:, size:]], dim=1)

        for number, layer in enumerate(self.layers):
            x, weights = layer(x, mask, number in look)
            if weights is not None:
                maps.append(rows(weights)[..., :size])
        return self.predict(rows(x)), maps

    def generate(
        self,
        phones: torch.Tensor,
        prompt: torch.Tensor,
        sampling: Sampling,
        generator: torch.Generator,
        bert: torch.Tensor | None = None,
        max_steps: int = 1500,
    ) -> Take:
        """Continue prompt tokens [p] (p may be 0) for reference + target phones [P], BERT [P, bert]."""
        return self.generate_batch([phones], [prompt], sampling, [generator], [bert], max_steps)[0]

    @torch.no_grad()
    def generate_batch(
        self,
        phones: Sequence[torch.Tensor],
        prompts: Sequence[torch.Tensor],
        sampling: Sampling,
        generators: Sequence[torch.Generator],
        berts: Sequence[torch.Tensor | None],
        max_steps: int = 1500,
    ) -> list[Take]:
        """`generate` of several texts at once, each with its own dice (specification 2.8).

        Rows are padded on the left, after embedding and position, and leave the batch when they end, so that what a
        row says does not depend on its company.
        """
        pairs = list(zip(phones, prompts, berts, strict=True))
        rows = [self._prefix(*pair) for pair in pairs]
        width = max(len(row) for row in rows)
        x = torch.stack([F.pad(row, (0, 0, width - len(row), 0)) for row in rows])
        pads = torch.tensor([width - len(row) for row in rows], device=x.device)
        texts = torch.tensor([width - len(prompt) for prompt in prompts], device=x.device)  # where the text ends
        hidden, heads = self.config.hidden, self.config.heads
        cache = x.new_empty(len(rows), len(self.layers), 2, heads, width + max_steps, hidden // heads)
        layers = [cast(Layer, layer) for layer in self.layers]
        mask = _prefill_mask(width, pads, texts)
        for number, layer in enumerate(layers):
            query, key, value = layer.qkv(x)
            cache[:, number, 0, :, :width], cache[:, number, 1, :, :width] = key, value
            x = layer.finish(x, F.scaled_dot_product_attention(query, key, value, attn_mask=mask))
        logits = self.predict(x[:, -1])
        alive = list(range(len(rows)))
        history = [prompt.tolist() for prompt in prompts]
        out: list[list[int]] = [[] for _ in rows]
        stops = ["max_steps"] * len(rows)
        for step in range(max_steps):
            kept = []
            for at, row in enumerate(alive):
                token, ended = pick(logits[at], history[row], step, self.config.eos, sampling, generators[row])
                if ended:
                    stops[row] = "eos"
                    continue
                out[row].append(token)
                history[row].append(token)
                kept.append(at)
            if len(kept) < len(alive):
                cache, pads, alive = cache[kept], pads[kept], [alive[at] for at in kept]
            if not alive:
                break
            used = width + step
            last = torch.tensor([[out[row][-1]] for row in alive], device=logits.device)
            places = torch.tensor([len(history[row]) - 1 for row in alive], device=logits.device)
            x = self.audio_position.at(self.audio_embedding(last), places)
            real = None
            if bool(pads.any()):
                real = (torch.arange(used + 1, device=x.device)[None] >= pads[:, None])[:, None, None]
            for number, layer in enumerate(layers):
                query, key, value = layer.qkv(x)
                cache[:, number, 0, :, used], cache[:, number, 1, :, used] = key[:, :, 0], value[:, :, 0]
                keys, values = cache[:, number, 0, :, : used + 1], cache[:, number, 1, :, : used + 1]
                x = layer.finish(x, F.scaled_dot_product_attention(query, keys, values, attn_mask=real))
            logits = self.predict(x[:, -1])
        return [Take(torch.tensor(row, dtype=torch.long), stop) for row, stop in zip(out, stops, strict=True)]

    def _prefix(self, phones: torch.Tensor, prompt: torch.Tensor, bert: torch.Tensor | None) -> torch.Tensor:
        """Embedded phones and prompt tokens, [P + p, H]."""
        x = self.embed_text(phones[None], None if bert is None else bert[None])[0]
        if len(prompt):
            x = torch.cat([x, self.audio_position(self.audio_embedding(prompt[None]))[0]])
        return x


def _prefill_mask(width: int, pads: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
    """Who sees whom in rows [B] of [pads | text | prompt], bool [B, 1, width, width]; pads see themselves alone."""
    place = torch.arange(width, device=pads.device)
    query, key = place[None, :, None], place[None, None, :]
    real, text = key >= pads[:, None, None], key < texts[:, None, None]
    seen = real & (text | (key <= query)) & (text | (query >= texts[:, None, None]))
    return (seen | (key == query)).unsqueeze(1)
