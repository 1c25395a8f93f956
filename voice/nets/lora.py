"""Low-rank adapters: few trained numbers beside frozen weights (Hu et al. 2021, "LoRA").

An adapter is a torch parametrisation of a layer's `weight`: W + scale * up @ down, with W taken as a matrix
[first dimension, all others]. It works on the weight that a layer computes with, also where weight norm makes that
from a length and a direction, so forward passes need not know of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import nn
from torch.nn.utils import parametrize

from voice.errors import UserError

LAYERS = (nn.Linear, nn.Conv1d, nn.ConvTranspose1d)


class LowRank(nn.Module):
    """weight [a, ...] -> weight + scale * up [a, r] @ down [r, b], b the product of the other dimensions.

    `up` starts at zero, so that nothing changes at first. r is at most min(a, b): more could not say more.
    """

    scale: torch.Tensor

    def __init__(self, weight: torch.Tensor, rank: int, scale: float, generator: torch.Generator | None = None) -> None:
        super().__init__()
        first, rest = weight.shape[0], weight[0].numel()
        rank = min(rank, first, rest)
        bound = 1 / math.sqrt(rest)
        down = (2 * torch.rand(rank, rest, generator=generator) - 1) * bound
        self.down = nn.Parameter(down.to(weight))
        self.up = nn.Parameter(weight.new_zeros(first, rank))
        # In the state dict, so that an adapter's file says all about it.
        self.register_buffer("scale", weight.new_tensor(scale))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        # In the weight's own precision also under autocast: the merged weight is then the adapted one.
        with torch.autocast(weight.device.type, enabled=False):
            return weight + (self.scale * (self.up @ self.down)).view_as(weight)


def add_lora(
    model: nn.Module, prefixes: Sequence[str], rank: int, alpha: float | None = None, seed: int = 0
) -> list[nn.Parameter]:
    """Adapt every linear and 1-d convolution layer of `model` whose weight's name starts with one of `prefixes`.

    Freezes all else and returns what is to be trained. `alpha` is the scale times the rank (default: `rank`, a scale
    of 1); `seed` decides where the adapters start. Names of weights are those of a model without weight norm, as
    "dec.ups.0.weight"; "" adapts every layer. Raises UserError for a prefix that names no such layer, ValueError for a
    rank below 1 or a model that has adapters already.
    """
    if rank < 1:
        raise ValueError(f"rank {rank}: an adapter needs at least 1")
    _refuse_adapted(model)
    found = {name: layer for name, layer in model.named_modules() if isinstance(layer, LAYERS)}
    for prefix in prefixes:
        if not any(f"{name}.weight".startswith(prefix) for name in found):
            parts = sorted({name.split(".")[0] for name in found})
            raise UserError(f"trainable: no layer that takes adapters starts with {prefix!r}", f"in {', '.join(parts)}")
    dice = torch.Generator().manual_seed(seed)
    model.requires_grad_(False)
    trained: list[nn.Parameter] = []
    for name, layer in found.items():
        if any(f"{name}.weight".startswith(prefix) for prefix in prefixes):
            scale = (rank if alpha is None else alpha) / rank
            trained += _attach(layer, LowRank(layer.weight, rank, scale, dice))
    return trained


def lora_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """Copies of the adapters' tensors alone, by their names in the model's state dict; {} where there are none."""
    own = {f"{name}.{key}" for name, layer in model.named_modules() if isinstance(layer, LowRank) for key in _KEYS}
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items() if name in own}


def load_lora(model: nn.Module, state: dict[str, torch.Tensor]) -> list[nn.Parameter]:
    """Put adapters of `lora_state` on a model without adapters, frozen but for them; returns what can be trained.

    Raises UserError when the adapters belong to a network of other names or sizes, ValueError for a model that has
    adapters already.
    """
    _refuse_adapted(model)
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, LAYERS)}
    model.requires_grad_(False)
    trained: list[nn.Parameter] = []
    for key in (key for key in state if key.endswith(".up")):
        layer = layers.get(key.split(".parametrizations.")[0])
        up, down, scale = (state.get(f"{key.removesuffix('up')}{part}") for part in _KEYS)
        if layer is None or up is None or down is None or scale is None:
            raise UserError(f"adapter {key}: not of this network", "use the base it was trained on")
        adapter = LowRank(layer.weight, len(down), float(scale))
        if adapter.up.shape != up.shape or adapter.down.shape != down.shape:
            raise UserError(f"adapter {key}: of another size", "use the base it was trained on")
        trained += _attach(layer, adapter)
        with torch.no_grad():
            adapter.up.copy_(up)
            adapter.down.copy_(down)
    return trained


@torch.no_grad()
def merge_lora(model: nn.Module) -> None:
    """Fold every adapter into its layer's weight: names and shapes are then those before `add_lora`, all trainable.

    Under weight norm the new weight becomes the direction, and its norm the length. Does nothing without adapters.
    """
    for layer in list(_adapted(model)):
        weight = cast(torch.Tensor, layer.weight).detach().clone()
        chain = _chain(layer)
        if len(chain) == 1:  # no weight norm below
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
            if "bias" in layer._parameters:  # back behind the weight, as in a new layer
                layer._parameters["bias"] = layer._parameters.pop("bias")
        else:
            del chain[-1]
            layer.weight = weight  # through weight norm's own inverse
    model.requires_grad_(True)


_KEYS = ("up", "down", "scale")


def _chain(layer: nn.Module) -> nn.ModuleList:
    """What makes the weight of a parametrised layer, in order."""
    return cast(nn.ModuleList, cast(nn.ModuleDict, layer.parametrizations)["weight"])


def _adapted(model: nn.Module) -> Iterator[nn.Module]:
    """The layers of `model` that have an adapter."""
    for layer in model.modules():
        if parametrize.is_parametrized(layer, "weight") and isinstance(_chain(layer)[-1], LowRank):
            yield layer


def _refuse_adapted(model: nn.Module) -> None:
    if any(True for _ in _adapted(model)):
        raise ValueError("this model has adapters already: merge them first")


def _attach(layer: nn.Module, adapter: LowRank) -> list[nn.Parameter]:
    parametrize.register_parametrization(layer, "weight", adapter)
    return [adapter.down, adapter.up]
