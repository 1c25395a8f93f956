"""Training steps of s1, for the base and for a voice: cross-entropy of the next token, and guided attention.

With `corrupt`, a share of the tokens s1 sees (never those it has to predict) is replaced at random, so that it leans
on the text rather than on what was said a moment before; its own mistakes then do not carry it away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

from voice.nets.semantic import Semantic
from voice.train.batching import pad_right
from voice.train.frozen import choose_trainable
from voice.train.guide import IGNORE, guide_loss


@dataclass(frozen=True)
class Line:
    """What s1 trains on: phones [P], tokens [T], and optionally the phone index spoken at each token [T]."""

    phones: torch.Tensor
    tokens: torch.Tensor
    spoken: torch.Tensor | None = None


def token_loss(logits: torch.Tensor, tokens: torch.Tensor, counts: torch.Tensor, eos: int) -> torch.Tensor:
    """Summed cross-entropy of logits [B, T+1, V] against tokens and one EOS; pads count nothing."""
    targets = F.pad(tokens, (0, 1), value=eos).clone()
    place = torch.arange(targets.shape[1], device=targets.device)[None]
    targets[place == counts[:, None]] = eos
    targets[place > counts[:, None]] = IGNORE
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="sum")


class SemanticTrainer:
    """One optimiser step a call."""

    def __init__(
        self,
        model: Semantic,
        batch: Callable[[int], list[Line]],
        held: Sequence[Line],
        rate: Callable[[int], float],
        *,
        trainable: Sequence[str] = ("",),
        guide: float = 0.0,
        guided_layers: tuple[int, ...] = (),
        corrupt: float = 0.0,
        weight_decay: float = 0.01,
        device: str = "cpu",
        autocast: bool = True,
    ) -> None:
        self.model = model.to(device)
        self.batch, self.held, self.rate = batch, held, rate
        self.guide, self.guided_layers = guide, guided_layers if guide else ()
        self.corrupt = corrupt
        self.device, self.autocast = device, autocast
        self.trained = choose_trainable(model, trainable)
        self.optimiser = torch.optim.AdamW(self.trained, lr=1e-4, betas=(0.9, 0.98), weight_decay=weight_decay)

    def _losses(self, items: Sequence[Line]) -> tuple[torch.Tensor, torch.Tensor, int, float]:
        """Summed token loss, guide loss, number of targets, share of targets predicted first."""
        phones, phone_counts = pad_right([item.phones for item in items])
        tokens, counts = pad_right([item.tokens for item in items])
        phones, tokens = phones.to(self.device), tokens.to(self.device)
        heard = self._corrupted(tokens) if self.model.training and self.corrupt else tokens
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            logits, maps = self.model(phones, phone_counts.to(self.device), heard, look=self.guided_layers)
        loss = token_loss(logits, tokens, counts.to(self.device), self.model.config.eos)
        place = torch.arange(tokens.shape[1])[None] < counts[:, None]
        right = (logits[:, :-1].argmax(-1).cpu() == tokens.cpu()) & place
        guide = torch.zeros((), device=self.device)
        if maps and all(item.spoken is not None for item in items):
            spoken, _ = pad_right([item.spoken for item in items if item.spoken is not None], IGNORE)
            spoken = F.pad(spoken, (0, 1), value=IGNORE).to(self.device)
            guide = torch.stack([guide_loss(weights, spoken) for weights in maps]).mean()
        return loss, guide, int(counts.sum()) + len(items), int(right.sum()) / int(place.sum())

    def _corrupted(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens [B, T] with up to `corrupt` of each row replaced: any token, or the one before it (a stutter)."""
        share = torch.rand(len(tokens), 1, device=tokens.device) * self.corrupt
        hit = torch.rand(tokens.shape, device=tokens.device) < share
        other = torch.randint_like(tokens, self.model.config.codes)
        before = F.pad(tokens[:, :-1], (1, 0))
        other = torch.where(torch.rand(tokens.shape, device=tokens.device) < 0.3, before, other)
        return torch.where(hit, other, tokens)

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        loss, guide, count, right = self._losses(self.batch(number))
        self.optimiser.zero_grad()
        (loss / count + self.guide * guide).backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(number)
        self.optimiser.step()
        logs = {"loss": loss.item() / count, "accuracy": right}
        return logs | ({"guide": guide.item()} if self.guided_layers else {})

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean cross-entropy per token (EOS included) of the held-out lines, float32, no dropout."""
        if not self.held:
            return {}
        self.model.eval()
        kept, self.autocast = self.autocast, False
        total, count, right = 0.0, 0, 0.0
        for item in self.held:
            loss, _, n, hits = self._losses([item])
            total, count, right = total + loss.item(), count + n, right + hits
        self.autocast = kept
        return {"loss": total / count, "accuracy": right / len(self.held)}

    def state(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])

    def snapshot(self) -> dict[str, torch.Tensor]:
        return {name: t.detach().clone() for name, t in self.model.state_dict().items()}
