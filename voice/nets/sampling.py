"""Drawing the next semantic token (specification 2.8)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

FIRST_EOS_STEP = 11  # shorter takes (0.44 s) are never what was asked for


@dataclass(frozen=True)
class Sampling:
    """Knobs of the sampler; the defaults are the published ones."""

    top_k: int = 15
    top_p: float = 1.0
    temperature: float = 1.0
    penalty: float = 1.35


def pick(
    logits: torch.Tensor,
    history: list[int],
    step: int,
    eos: int,
    sampling: Sampling,
    generator: torch.Generator,
) -> tuple[int, bool]:
    """Next token from logits [codes + 1] and whether decoding ends here.

    In order: no EOS in the first steps, repetition penalty over every earlier token, top-p, temperature, top-k, draw.
    Ends when EOS is drawn or is the likeliest after the penalty.
    """
    logits = logits.float().clone()
    if step < FIRST_EOS_STEP:
        logits[eos] = -torch.inf
    if history:
        seen = torch.tensor(sorted(set(history)), device=logits.device)
        value = logits[seen]
        logits[seen] = torch.where(value < 0, value * sampling.penalty, value / sampling.penalty)
    ended = int(logits.argmax()) == eos
    if sampling.top_p < 1:
        ordered, index = logits.sort(descending=True)
        drop = ordered.softmax(-1).cumsum(-1) > sampling.top_p
        drop[0] = False
        logits[index[drop]] = -torch.inf
    logits = logits / max(sampling.temperature, 1e-5)
    if 0 < sampling.top_k < len(logits):
        logits[logits < logits.topk(sampling.top_k).values[-1]] = -torch.inf
    draw = torch.empty(len(logits)).exponential_(generator=generator).to(logits.device)
    token = int((logits.softmax(-1) / draw).argmax())
    return token, ended or token == eos
