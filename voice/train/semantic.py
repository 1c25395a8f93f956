"""Training steps of s1, for the base and for a voice: cross-entropy of the next token, and guided attention.

With `corrupt`, a share of the tokens s1 sees (never those it has to predict) is replaced at random, so that it leans
on the text rather than on what was said a moment before; its own mistakes then do not carry it away. The options of
the published recipe are here too: its older objective, ScaledAdam, gathered gradients, preference (specification 2.5
and 2.7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch.nn import functional as F

from voice.errors import UserError
from voice.nets.lora import add_lora
from voice.nets.semantics import AnySemantic
from voice.train.batching import pad_right
from voice.train.corrupt import corrupted
from voice.train.frozen import choose_trainable
from voice.train.guide import IGNORE, guide_loss
from voice.train.kept import KeptBest
from voice.train.preference import preference_loss, rejected, sequence_log_probs
from voice.train.scaled_adam import ScaledAdam


@dataclass(frozen=True)
class Line:
    """What s1 trains on: phones [P], tokens [T], and optionally the phone index spoken at each token [T].

    `bert` [P, width] float32, one row a phone, where the text has it: None counts as zeros, which is what languages
    without BERT features are trained with.
    """

    phones: torch.Tensor
    tokens: torch.Tensor
    spoken: torch.Tensor | None = None
    bert: torch.Tensor | None = None


class Text(NamedTuple):
    """The phones of a batch on the device: ids [B, P], counts [B], and BERT features [B, P, width] where there are."""

    phones: torch.Tensor
    counts: torch.Tensor
    bert: torch.Tensor | None


class Found(NamedTuple):
    """Of one batch: summed token loss, guide loss, number of targets, share of them predicted first, preference."""

    loss: torch.Tensor
    guide: torch.Tensor
    asked: int
    right: float
    preference: torch.Tensor | None


def next_tokens(tokens: torch.Tensor, counts: torch.Tensor, eos: int, first: bool = True) -> torch.Tensor:
    """What logits of tokens [B, T] are to predict, [B, T+1]: the tokens, one EOS, then IGNORE.

    Without `first`, the first token is not asked for, as when the published bases were made.
    """
    targets = F.pad(tokens, (0, 1), value=eos).clone()
    place = torch.arange(targets.shape[1], device=targets.device)[None]
    targets[place == counts[:, None]] = eos
    targets[place > counts[:, None]] = IGNORE
    if not first:
        targets[:, 0] = IGNORE
    return targets


def token_loss(
    logits: torch.Tensor, tokens: torch.Tensor, counts: torch.Tensor, eos: int, first: bool = True
) -> torch.Tensor:
    """Summed cross-entropy of logits [B, T+1, V] against `next_tokens`; pads count nothing."""
    return _summed(logits, next_tokens(tokens, counts, eos, first))


def _summed(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="sum")


def pad_bert(items: Sequence[Line], width: int) -> torch.Tensor | None:
    """BERT features [B, P, width] padded on the right with zeros, None when no line has any.

    Raises ValueError where a line's features are not [phones, width].
    """
    if all(item.bert is None for item in items):
        return None
    rows = []
    for item in items:
        bert = torch.zeros(len(item.phones), width) if item.bert is None else item.bert.float()
        if bert.shape != (len(item.phones), width):
            raise ValueError(f"BERT features {tuple(bert.shape)} of {len(item.phones)} phones of width {width}")
        rows.append(bert.T)
    return pad_right(rows)[0].transpose(1, 2)


class SemanticTrainer(KeptBest):
    """One optimiser step a call.

    - `objective` "all" predicts every token; "published" leaves out the first, which the published bases never learnt
    - `optimiser` "adamw" or "scaled_adam" (relative rates: 0.002 where AdamW wants 1e-5 or so)
    - `accumulate` batches make one step, as one batch of all their lines would, in the memory of one; step n takes
      the batches from (n - 1) * accumulate + 1 on
    - `preference` above 0 adds the preference loss with that beta (published 0.2), for twice the memory
    - `lora_rank` above 0 trains adapters on the layers that `trainable` names, and nothing else; not with ScaledAdam
    """

    def __init__(
        self,
        model: AnySemantic,
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
        objective: Literal["all", "published"] = "all",
        optimiser: Literal["adamw", "scaled_adam"] = "adamw",
        accumulate: int = 1,
        preference: float = 0.0,
        lora_rank: int = 0,
    ) -> None:
        if objective not in ("all", "published") or optimiser not in ("adamw", "scaled_adam"):
            raise ValueError(f"unknown objective {objective!r} or optimiser {optimiser!r}")
        if lora_rank and optimiser == "scaled_adam":
            hint = "use adamw with lora_rank"
            raise UserError("scaled_adam steps in proportion to a tensor's size, and adapters start at zero", hint)
        self.model = model.to(device)
        self.batch, self.held, self.rate = batch, held, rate
        self.guide, self.guided_layers = guide, guided_layers if guide else ()
        self.corrupt = corrupt
        self.device, self.autocast = device, autocast
        self.first, self.accumulate, self.preference = objective == "all", accumulate, preference
        self.trained = add_lora(model, trainable, lora_rank) if lora_rank else choose_trainable(model, trainable)
        self.optimiser: torch.optim.Optimizer
        if optimiser == "scaled_adam":
            self.optimiser = ScaledAdam(self.trained, lr=1e-3)
        else:
            self.optimiser = torch.optim.AdamW(self.trained, lr=1e-4, betas=(0.9, 0.98), weight_decay=weight_decay)

    def _losses(self, items: Sequence[Line]) -> Found:
        phones, phone_counts = pad_right([item.phones for item in items])
        tokens, counts = pad_right([item.tokens for item in items])
        bert = pad_bert(items, self.model.config.bert) if self.model.config.bert else None
        bert = None if bert is None else bert.to(self.device)
        text = Text(phones.to(self.device), phone_counts.to(self.device), bert)
        logits, maps, targets = self._read(text, tokens, counts)
        asked = targets != IGNORE
        place = asked[:, :-1].cpu() & (torch.arange(tokens.shape[1])[None] < counts[:, None])
        right = (logits[:, :-1].argmax(-1).cpu() == tokens.cpu()) & place
        guide = torch.zeros((), device=self.device)
        if maps and all(item.spoken is not None for item in items):
            spoken, _ = pad_right([item.spoken for item in items if item.spoken is not None], IGNORE)
            spoken = F.pad(spoken, (0, 1), value=IGNORE).to(self.device)
            guide = torch.stack([guide_loss(weights, spoken) for weights in maps]).mean()
        preference = None
        if self.preference and self.model.training:
            spoilt, _, wrong = self._read(text, *pad_right([rejected(item.tokens) for item in items]))
            preference = preference_loss(
                sequence_log_probs(logits, targets), sequence_log_probs(spoilt, wrong), self.preference
            )
        return Found(
            _summed(logits, targets), guide, int(asked.sum()), int(right.sum()) / max(1, int(place.sum())), preference
        )

    def _read(
        self, text: Text, tokens: torch.Tensor, counts: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
        """Logits [B, T+1, V] of tokens [B, T], the attention of guided layers, and what is to be predicted."""
        tokens = tokens.to(self.device)
        heard = tokens
        if self.model.training and self.corrupt:
            heard = corrupted(tokens, self.model.config.codes, self.corrupt)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            logits, maps = self.model(text.phones, text.counts, heard, text.bert, look=self.guided_layers)
        return logits, maps, next_tokens(tokens, counts.to(self.device), self.model.config.eos, self.first)

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        parts = [self.batch((number - 1) * self.accumulate + part) for part in range(1, self.accumulate + 1)]
        lines = sum(len(items) for items in parts)
        count = sum(len(item.tokens) + self.first for items in parts for item in items)
        logs: dict[str, float] = {}
        self.optimiser.zero_grad()
        for items in parts:
            found, share = self._losses(items), len(items) / lines
            loss = found.loss / count + self.guide * found.guide * share
            terms = {"loss": found.loss.item() / count, "accuracy": found.right * share}
            if self.guided_layers:
                terms["guide"] = found.guide.item() * share
            if found.preference is not None:
                # One mean over the lines beside the *sum* over the tokens, as published; both shrink by `count`.
                loss = loss + found.preference * share / count
                terms["preference"] = found.preference.item() * share
            loss.backward()
            for key, value in terms.items():
                logs[key] = logs.get(key, 0.0) + value
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(number)
        self.optimiser.step()
        return logs

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean cross-entropy per token (EOS included) of the held-out lines, float32, no dropout."""
        if not self.held:
            return {}
        self.model.eval()
        kept, self.autocast = self.autocast, False
        total, count, right = 0.0, 0, 0.0
        for item in self.held:
            found = self._losses([item])
            total, count, right = total + found.loss.item(), count + found.asked, right + found.right
        self.autocast = kept
        return {"loss": total / count, "accuracy": right / len(self.held)}
