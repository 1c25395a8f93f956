"""ScaledAdam: Adam whose step is relative to a tensor's size, and which learns that size beside (specification 2.7).

The optimiser of the published s1. Method: Yao et al. 2024, "Zipformer", section 3.3; here every tensor is stepped on
its own, for the statistics are its own anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

PERIOD = 4  # steps between two updates of a tensor's size


class ScaledAdam(torch.optim.Optimizer):
    """Adam with steps proportional to the root mean square (rms) of each tensor, and a slow step of that rms itself.

    - `lr` is relative: 0.01 moves a tensor by about one percent of its size a step
    - a tensor's size, and tensors of one element, are stepped with `lr * scalar_lr_scale`
    - the size stays between `param_min_rms` and `param_max_rms`, a single element within +-`scalar_max`
    - `clipping_scale` times the median norm of the last `clipping_update_period` gradients limits what a gradient
      does to the sizes, from step `clipping_update_period` on; None leaves that out

    State: int and float tensors only, so that it can be saved and loaded without unpickling code.
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor] | Iterable[dict[str, Any]],
        lr: float = 0.03,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        clipping_scale: float | None = 2.0,
        clipping_update_period: int = 1000,
        scalar_lr_scale: float = 0.1,
        param_min_rms: float = 1e-5,
        param_max_rms: float = 3.0,
        scalar_max: float = 10.0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "clipping_scale": clipping_scale,
                "clipping_update_period": clipping_update_period,
                "scalar_lr_scale": scalar_lr_scale,
                "param_min_rms": param_min_rms,
                "param_max_rms": param_max_rms,
                "scalar_max": scalar_max,
            },
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of every tensor that has a gradient. `closure`, if given, is called with gradients on first."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            tensors = [p for p in group["params"] if p.grad is not None]
            for p in tensors:
                if "step" not in self.state[p]:
                    self._start(p)
            share = self._clipping(group, tensors)
            for p in tensors:
                (self._step_single if p.numel() == 1 else self._step_tensor)(group, p, share)
                self.state[p]["step"] += 1
        return loss

    def _start(self, p: torch.Tensor) -> None:
        state = self.state[p]
        state["step"] = 0
        state["delta"] = torch.zeros_like(p)
        state["square"] = torch.zeros_like(p)
        if p.numel() > 1:
            state["rms"] = p.square().mean().sqrt()
            state["pulls"] = p.new_zeros(PERIOD)  # sum of parameter times gradient, of the last steps
            state["pull_square"] = p.new_zeros(())

    def _clipping(self, group: dict[str, Any], tensors: list[torch.Tensor]) -> float:
        """Factor on the gradients in the update of sizes: 1 until a first median of norms is known."""
        if group["clipping_scale"] is None or not tensors:
            return 1.0
        first, period = self.state[tensors[0]], group["clipping_update_period"]
        step = first["step"]
        if step == 0:  # a size is known from the first step on
            return 1.0
        sizes = [self.state[p].get("rms", 1.0) for p in tensors]
        parts = [(p.grad * size).float().square().sum() for p, size in zip(tensors, sizes, strict=True)]
        norm = torch.stack(parts).sum().sqrt()
        if "norms" not in first:
            first["norms"] = torch.zeros(period, device=norm.device)
        first["norms"][step % period] = norm
        if step % period == 0:
            first["limit"] = group["clipping_scale"] * first["norms"].sort().values[period // 2]
        if step < period:
            return 1.0
        return min(1.0, float(first["limit"] / (norm + 1e-20)))

    def _step_tensor(self, group: dict[str, Any], p: torch.Tensor, share: float) -> None:
        """A tensor of several elements: its size every PERIOD steps, its direction at every step."""
        state, (beta1, beta2) = self.state[p], group["betas"]
        assert p.grad is not None
        step, delta, square, grad = state["step"], state["delta"], state["square"], p.grad
        delta.mul_(beta1)
        state["pulls"][step % PERIOD] = (p * grad).sum() * share
        if step % PERIOD == PERIOD - 1:
            state["rms"] = p.square().mean().sqrt()
            delta.add_(p * self._size_step(group, state), alpha=1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        known = 1 - beta2 ** (step + 1)
        seen = square / known if known < 0.99 else square
        scale = state["rms"].clamp(min=group["param_min_rms"])
        delta.add_(grad / (seen.sqrt() + group["eps"]) * scale, alpha=-group["lr"] * (1 - beta1))
        p.add_(delta)

    def _size_step(self, group: dict[str, Any], state: dict[str, Any]) -> torch.Tensor:
        """Relative change of a tensor's size, a scalar, from the pulls of the last PERIOD steps."""
        rate, beta = group["lr"] * group["scalar_lr_scale"], group["betas"][1] ** PERIOD
        pulls = state["pulls"]
        state["pull_square"].mul_(beta).add_(pulls.square().mean(), alpha=1 - beta)
        count = (state["step"] + 1) // PERIOD
        found = -rate * (1 - beta**count) ** 0.5 * pulls.sum() / (state["pull_square"].sqrt() + group["eps"])
        found = torch.where(state["rms"] < group["param_min_rms"], torch.zeros_like(found), found)
        return torch.where(state["rms"] > group["param_max_rms"], torch.full_like(found, -rate * PERIOD), found)

    def _step_single(self, group: dict[str, Any], p: torch.Tensor, share: float) -> None:
        """One element: plain Adam, for a size says nothing about it. `share` has no part in it."""
        state, (beta1, beta2) = self.state[p], group["betas"]
        assert p.grad is not None
        delta, square, grad = state["delta"], state["square"], p.grad
        delta.mul_(beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        seen = square / (1 - beta2 ** (state["step"] + 1))
        rate = group["lr"] * group["scalar_lr_scale"]
        delta.add_(grad / (seen.sqrt() + group["eps"]), alpha=-rate * (1 - beta1))
        p.clamp_(-group["scalar_max"], group["scalar_max"]).add_(delta)
