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

    No EOS in the first steps. Ends when EOS is drawn or is the likeliest after the penalty.
    """
    logits = logits.float().clone()
    if step < FIRST_EOS_STEP:
        logits[eos] = -torch.inf
    penalised = discourage(logits, history, sampling.penalty)
    chances = probabilities(penalised, sampling)
    draw = torch.empty(len(logits)).exponential_(generator=generator).to(logits.device)
    token = int((chances / draw).argmax())
    return token, token == eos or int(penalised.argmax()) == eos


def discourage(logits: torch.Tensor, history: list[int], penalty: float) -> torch.Tensor:
    """Repetition penalty on logits [V], once for every distinct earlier token (the prompt's are among them)."""
    if not history:
        return logits
    seen = torch.tensor(sorted(set(history)), device=logits.device)
    value = logits[seen]
    return logits.index_put((seen,), torch.where(value < 0, value * penalty, value / penalty))


def probabilities(logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Chances of the tokens, from logits [V]: top-p, temperature, top-k, softmax, in this order."""
    if sampling.top_p < 1:
        ordered, index = logits.sort(descending=True)
        drop = ordered.softmax(-1).cumsum(-1) > sampling.top_p
        drop[0] = False
        logits = logits.index_fill(0, index[drop], -torch.inf)
    logits = logits / max(sampling.temperature, 1e-5)
    if 0 < sampling.top_k < len(logits):
        logits = logits.masked_fill(logits < logits.topk(sampling.top_k).values[-1], -torch.inf)
    return logits.softmax(-1)
