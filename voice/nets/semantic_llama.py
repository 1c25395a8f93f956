"""s1 as a Llama-style decoder, the choice for larger models (Touvron et al. 2023, "LLaMA").

- transformers' LlamaModel over one sequence [text | audio]: rotary positions that run on from text to audio, RMS
  norms before each layer, SwiGLU, grouped keys and values
- causal throughout, so a phone sees the phones before it, not those after it as in `voice.nets.semantic`; a token
  sees the whole text in both
- the same surface, targets and sampler as `Semantic`, so trainer and synthesis take either
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from transformers import DynamicCache, LlamaConfig, LlamaModel
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from voice.nets.decoding import Batch, SemanticDecoder, predicting_rows


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


class SemanticLlama(SemanticDecoder):
    """The s1 decoder; phones and tokens share one table of embeddings, tokens after the phones."""

    kind, config_class = "semantic-llama", SemanticLlamaConfig
    config: SemanticLlamaConfig

    def __init__(self, config: SemanticLlamaConfig | None = None) -> None:
        c = config or SemanticLlamaConfig()
        super().__init__(c)
        self.llama = LlamaModel(c.llama())
        self.llama.set_attn_implementation("sdpa")  # takes masks of truth values in any precision
        self.predict = nn.Linear(c.hidden, c.codes + 1, bias=False)

    def embed_text(self, phones: torch.Tensor, bert: torch.Tensor | None = None) -> torch.Tensor:
        """Phones [B, P] (and BERT [B, P, bert]; None counts as zeros) -> [B, P, H]; positions come in attention."""
        return self._with_bert(self.llama.embed_tokens(phones), bert)

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
        """Teacher-forced logits and attention, as the base class says."""
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
        maps = []
        for number in sorted(set(look) & set(range(self.config.layers))):
            weights = self._looked(number, out.hidden_states[number], places, mask)
            maps.append(predicting_rows(weights, phone_lengths, size)[..., :size])
        return self.predict(predicting_rows(out.last_hidden_state, phone_lengths, size)), maps

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

    def begin(
        self, x: torch.Tensor, pads: torch.Tensor, prompts: torch.Tensor, max_steps: int
    ) -> tuple[torch.Tensor, Batch]:
        """Logits of the first token and the batch, as the base class says."""
        place = torch.arange(x.shape[1], device=x.device)
        real = place >= pads[:, None]
        mask = (real[:, None] & (place <= place[:, None])) | (place == place[:, None])  # pads see themselves alone
        batch = _LlamaBatch(self, pads, x.shape[1])
        return batch.feed(x, mask[:, None], (place - pads[:, None]).clamp(min=0)), batch


class _LlamaBatch(Batch):
    """Keys and values in transformers' own cache."""

    def __init__(self, net: SemanticLlama, pads: torch.Tensor, used: int) -> None:
        super().__init__(pads, used)
        self.net, self.cache = net, DynamicCache(config=net.llama.config)

    def keep(self, rows: list[int]) -> None:
        super().keep(rows)
        self.cache.batch_select_indices(torch.tensor(rows, dtype=torch.long, device=self.pads.device))

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        places = (self.used - self.pads)[:, None]
        logits = self.feed(self.net.embed_audio(tokens), self.visible(), places)
        self.used += 1
        return logits

    def feed(self, x: torch.Tensor, mask: torch.Tensor | None, places: torch.Tensor) -> torch.Tensor:
        """Take in x [B, n, H] at positions [B, n] -> logits of what follows, [B, codes + 1]."""
        out = self.net.llama(
            inputs_embeds=x, attention_mask=mask, position_ids=places, past_key_values=self.cache, use_cache=True
        )
        return self.net.predict(out.last_hidden_state[:, -1])
