"""What every s1 decoder shares: the rows that predict, and the loop that draws tokens (specification 2.8).

- one sampler, one generator per request, an explicit stop reason
- texts of a batch are padded on the left, after embedding, and leave it when they end, so that what a text says does
  not depend on its company
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from voice.nets.sampling import Sampling, pick
from voice.nets.stored import Stored


@dataclass(frozen=True)
class Take:
    """Generated tokens [n] (without prompt and EOS) and why decoding stopped: "eos" or "max_steps"."""

    tokens: torch.Tensor
    stop: str


class Batch(ABC):
    """Texts under way and what the layers remember of them.

    `pads` int64 [B]: places on each row's left that hold nothing; `used`: places remembered so far, pads among them.
    """

    def __init__(self, pads: torch.Tensor, used: int) -> None:
        self.pads, self.used = pads, used

    @abstractmethod
    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """One more token of each text, int64 [B, 1] -> logits of what follows, [B, codes + 1]."""

    def keep(self, rows: list[int]) -> None:
        """Go on with these rows alone."""
        self.pads = self.pads[rows]

    def visible(self) -> torch.Tensor | None:
        """Which places the token after `used` sees, itself among them: bool [B, 1, 1, used + 1]; None for all."""
        if not bool(self.pads.any()):
            return None
        return (torch.arange(self.used + 1, device=self.pads.device) >= self.pads[:, None])[:, None, None]


class SemanticDecoder(Stored, ABC):
    """Base of the s1 decoders. The config has `codes`, `eos`, `hidden` and `bert` (0: no BERT projection)."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.bert_proj = nn.Linear(config.bert, config.hidden) if config.bert else None

    @abstractmethod
    def embed_text(self, phones: torch.Tensor, bert: torch.Tensor | None = None) -> torch.Tensor:
        """Phones [B, P] (and BERT [B, P, bert]; None counts as zeros) -> [B, P, H]."""

    @abstractmethod
    def embed_audio(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens [B, T] -> [B, T, H]."""

    @abstractmethod
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

    @abstractmethod
    def begin(
        self, x: torch.Tensor, pads: torch.Tensor, prompts: torch.Tensor, max_steps: int
    ) -> tuple[torch.Tensor, Batch]:
        """Take in embedded rows [B, W, H] of [pads | text | prompt], of which [B] are pads and [B] prompt tokens.

        Returns logits of the first token, [B, codes + 1], and the batch, which has room for `max_steps` more.
        """

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
        """`generate` of several texts at once, each with its own dice."""
        rows = [self._prefix(*row) for row in zip(phones, prompts, berts, strict=True)]
        width = max(len(row) for row in rows)
        x = torch.stack([F.pad(row, (0, 0, width - len(row), 0)) for row in rows])
        pads = torch.tensor([width - len(row) for row in rows], device=x.device)
        sizes = torch.tensor([len(prompt) for prompt in prompts], device=x.device)
        logits, batch = self.begin(x, pads, sizes, max_steps)
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
            fewer, alive = len(kept) < len(alive), [alive[at] for at in kept]
            if not alive or step + 1 == max_steps:
                break
            if fewer:
                batch.keep(kept)
            logits = batch.step(torch.tensor([[out[row][-1]] for row in alive], device=x.device))
        return [Take(torch.tensor(row, dtype=torch.long), stop) for row, stop in zip(out, stops, strict=True)]

    def _prefix(self, phones: torch.Tensor, prompt: torch.Tensor, bert: torch.Tensor | None) -> torch.Tensor:
        """Embedded phones and prompt tokens, [P + p, H]."""
        text = self.embed_text(phones[None], None if bert is None else bert[None])[0]
        return torch.cat([text, self.embed_audio(prompt[None])[0]]) if len(prompt) else text

    def _with_bert(self, x: torch.Tensor, bert: torch.Tensor | None) -> torch.Tensor:
        """Phones [B, P, H] with what BERT [B, P, bert] adds; None counts as zeros."""
        if self.bert_proj is None:
            return x
        return x + (self.bert_proj.bias if bert is None else self.bert_proj(bert))


def predicting_rows(y: torch.Tensor, phone_lengths: torch.Tensor, size: int) -> torch.Tensor:
    """Rows of [text | audio] that predict tokens: of y [B, size + T, N] the true last phone's, then all T of audio."""
    last = (phone_lengths - 1)[:, None, None].expand(-1, 1, y.shape[-1])
    return torch.cat([y.gather(1, last), y[:, size:]], dim=1)
