"""Which parameters of a network are trained: everything else is frozen."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from voice.errors import UserError


def choose_trainable(model: nn.Module, prefixes: Sequence[str]) -> list[nn.Parameter]:
    """Freeze all parameters but those whose name starts with one of `prefixes` ("" trains all); returns these.

    Raises UserError when a prefix names no parameter.
    """
    names = [name for name, _ in model.named_parameters()]
    for prefix in prefixes:
        if not any(name.startswith(prefix) for name in names):
            parts = sorted({name.split(".")[0] for name in names})
            raise UserError(f"trainable: no parameter starts with {prefix!r}", f"parts are {', '.join(parts)}")
    chosen = []
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(any(name.startswith(prefix) for prefix in prefixes))
        if parameter.requires_grad:
            chosen.append(parameter)
    return chosen
