"""s1 as a Llama-style decoder, the choice for larger models (Touvron et al. 2023, "LLaMA").

- transformers' LlamaModel over one sequence [text | audio]: rotary positions that run on from text to audio, RMS
  norms before each layer, SwiGLU, grouped keys and values
- causal throughout, so a phone sees the phones before it, not those after it as in `voice.nets.semantic`; a token
  sees the whole text in both
- the same surface, targets and sampler as `Semantic`, so trainer and synthesis take either
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F
from transformers import DynamicCache, LlamaConfig, LlamaModel
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from voice.nets.sampling import Sampling, pick
from voice.nets.semantic import Take
from voice.nets.stored import Stored


@dataclass(frozen=True)
class SemanticLlamaConfig:
    """Sizes; the defaults give 183 M parameters, more than twice the published s1.

    `kv_heads` groups of query heads share keys and values; `theta` is the base of the rotary positions; `bert` 0
    leaves the BERT projection out; `dropout` is that of attention. Raises ValueError when heads do not divide.
    """

    phones: int = 732
    codes: int = 1024
    hidden: int = 1024
    heads: int = 16
    kv_heads: int = 4
    ffn: int = 2816
    layers: int = 16
    bert: int = 0
    dropout: float = 0.0
    theta: float = 10000.0

    def __post_init__(self) -> None:
        if self.hidden % (2 * self.heads) or self.heads % self.kv_heads:
            raise ValueError(
                f"hidden {self.hidden}, heads {self.heads}, kv_heads {self.kv_heads}: heads must have an even width, "
                "and kv_heads must divide heads"
            )

    @property
    def eos(self) -> int:
        return self.codes

    def llama(self) -> LlamaConfig:
        return LlamaConfig(
            vocab_size=self.phones + self.codes + 1,
            hidden_size=self.hidden,
            intermediate_size=self.ffn,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            attention_dropout=self.dropout,
            rope_parameters={"rope_type": "default", "rope_theta": self.theta},
        )


class SemanticLlama(Stored):
    """The s1 decoder; phones and tokens share one table of embeddings, tokens after the phones."""

    kind, config_class = "semantic-llama", SemanticLlamaConfig
    config: SemanticLlamaConfig

    def __init__(self, config: SemanticLlamaConfig | None = None) -> None:
        c = config or SemanticLlamaConfig()
        super().__init__(c)
        self.bert_proj = nn.Linear(c.bert, c.hidden) if c.bert else None
        self.llama = LlamaModel(c.llama())
        self.llama.set_attn_implementation("sdpa")  # takes masks of truth values in any precision
        self.predict = nn.Linear(c.hidden, c.codes + 1, bias=False)

    def embed_text(self, phones: torch.Tensor, bert: torch.Tensor | None = None) -> torch.Tensor:
        """Phones [B, P] (and BERT [B, P, bert]; None counts as zeros) -> [B, P, H]; positions come in attention."""
        x = self.llama.embed_tokens(phones)
        if self.bert_proj is not None:
            x = x + (self.bert_proj.bias if bert is None else self.bert_proj(bert))
        return x

    def embed_audio(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens [B, T] -> [B, T, H]."""
        return self.llama.embed_tokens(tokens + self.config.phones)

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
        x = torch.cat([text, self.embed_audio(tokens)], dim=1)
        size, width = text.shape[1], x.shape[1]
        place = torch.arange(width, device=x.device)[None]
        pads = (size - phone_lengths)[:, None]
        real = (place < size - pads) | (place >= size)
        # Audio counts on from the last real phone, as if the pads were not there; their keys are hidden from all.
        places = torch.where(place < size, place, place - pads)
        mask = (real[:, None] & (place[:, None] <= place[..., None]))[:, None]
        out = self.llama(
            inputs_embeds=x, attention_mask=mask, position_ids=places, use_cache=False, output_hidden_states=bool(look)
        )
        last = (phone_lengths - 1)[:, None, None]

        def rows(y: torch.Tensor) -> torch.Tensor:
            """The true last phone's row, then the audio rows."""
            return torch.cat([y.gather(1, last.expand(-1, 1, y.shape[-1])), y[:, size:]], dim=1)

        layers = sorted(set(look) & set(range(self.config.layers)))
        maps = [rows(self._looked(number, out.hidden_states[number], places, mask))[..., :size] for number in layers]
        return self.predict(rows(out.last_hidden_state)), maps

    def _looked(self, number: int, x: torch.Tensor, places: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Attention of head 0 in a layer whose input is x [B, L, H] -> [B, L, L], float32.

        Computed beside the layer, because the fast attention kernels keep no weights.
        """
        layer = cast(Any, self.llama.layers[number])
        width = layer.self_attn.head_dim
        x = layer.input_layernorm(x)
        query, key = layer.self_attn.q_proj(x)[:, None, :, :width], layer.self_attn.k_proj(x)[:, None, :, :width]
        query, key = apply_rotary_pos_emb(query, key, *self.llama.rotary_emb(x, position_ids=places))
        score = (query[:, 0] @ key[:, 0].transpose(-2, -1)).float() / math.sqrt(width)
        return score.masked_fill(~mask[:, 0], -1e9).softmax(-1)

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

        Rows are padded on the left, where nothing sees the pads, and leave the batch when they end, so that what a
        row says does not depend on its company.
        """
        rows = [self._prefix(*row) for row in zip(phones, prompts, berts, strict=True)]
        width = max(len(row) for row in rows)
        x = torch.stack([F.pad(row, (0, 0, width - len(row), 0)) for row in rows])
        pads = torch.tensor([width - len(row) for row in rows], device=x.device)
        place = torch.arange(width, device=x.device)
        real = place >= pads[:, None]
        mask = (real[:, None] & (place <= place[:, None])) | (place == place[:, None])  # pads see themselves alone
        cache = DynamicCache(config=self.llama.config)
        logits = self._step(x, mask[:, None], (place - pads[:, None]).clamp(min=0), cache)
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
                alive = [alive[at] for at in kept]
                cache.batch_select_indices(torch.tensor(kept, dtype=torch.long, device=x.device))
                pads = pads[kept]
            if not alive or step + 1 == max_steps:
                break
            used = width + step
            seen = None
            if bool(pads.any()):
                seen = (torch.arange(used + 1, device=x.device) >= pads[:, None])[:, None, None]
            last = torch.tensor([[out[row][-1]] for row in alive], device=x.device)
            logits = self._step(self.embed_audio(last), seen, (used - pads)[:, None], cache)
        return [Take(torch.tensor(row, dtype=torch.long), stop) for row, stop in zip(out, stops, strict=True)]

    def _step(
        self, x: torch.Tensor, mask: torch.Tensor | None, places: torch.Tensor, cache: DynamicCache
    ) -> torch.Tensor:
        """Feed x [B, n, H] at positions [B, n] into the cache -> logits of what follows, [B, codes + 1]."""
        out = self.llama(
            inputs_embeds=x, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
        )
        return self.predict(out.last_hidden_state[:, -1])

    def _prefix(self, phones: torch.Tensor, prompt: torch.Tensor, bert: torch.Tensor | None) -> torch.Tensor:
        """Embedded phones and prompt tokens, [P + p, H]."""
        text = self.embed_text(phones[None], None if bert is None else bert[None])[0]
        return torch.cat([text, self.embed_audio(prompt[None])[0]])
