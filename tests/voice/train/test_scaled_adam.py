"""ScaledAdam: the published trace, saving and loading, and the rules of sizes and single elements."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn

from tests.golden import load, u
from voice.train.scaled_adam import ScaledAdam


class Pulled:
    """The four tensors of the published trace and the loss that pulls them to their targets."""

    def __init__(self) -> None:
        start = [u("opt.w", [3, 4]), 0.5 * u("opt.v", [3, 4]), u("opt.b", [4]), torch.tensor([1.5])]
        self.tensors = [nn.Parameter(value) for value in start]
        self.targets = [u("opt.tw", [3, 4]), u("opt.tv", [3, 4]), u("opt.tb", [4]), torch.tensor([0.2])]
        self.optimiser = ScaledAdam(self.tensors, lr=0.01)

    def step(self, lr: float) -> float:
        """One step; the loss before it."""
        self.optimiser.zero_grad()
        pairs = zip(self.tensors, self.targets, strict=True)
        loss = torch.stack([(value - target).square().sum() for value, target in pairs]).sum()
        loss.backward()
        self.optimiser.param_groups[0]["lr"] = lr
        self.optimiser.step()
        return loss.item()


def test_it_takes_the_published_steps() -> None:
    pulled = Pulled()
    losses, seen = [], {}
    for number in range(1, 21):
        losses.append(pulled.step(0.01 if number == 1 else 0.002))
        seen[number] = [value.detach().flatten().clone() for value in pulled.tensors]
    trace = load("s1")["scaled_adam"]["trace"]
    assert [row["step"] for row in trace] == [1, 2, 3, 4, 5, 8, 9, 20]
    for row in trace:
        w, v, b, s = seen[row["step"]]
        assert losses[row["step"] - 1] == pytest.approx(row["loss_before"], rel=1e-5)
        assert w.tolist() == pytest.approx(row["w"], rel=1e-4, abs=1e-6)
        assert b.tolist() == pytest.approx(row["b"], rel=1e-4, abs=1e-6)
        assert [v[0].item(), s.item()] == pytest.approx([row["v0"], row["s"]], rel=1e-4)


def test_a_loaded_state_goes_on_as_an_unbroken_run() -> None:
    whole, first, second = Pulled(), Pulled(), Pulled()
    for optimiser in (whole.optimiser, first.optimiser, second.optimiser):
        optimiser.param_groups[0]["clipping_update_period"] = 5  # so that clipping is at work before and after
    for _ in range(22):
        whole.step(0.02)
    for _ in range(13):
        first.step(0.02)
    file = io.BytesIO()
    torch.save(first.optimiser.state_dict(), file)
    file.seek(0)
    with torch.no_grad():
        for mine, theirs in zip(second.tensors, first.tensors, strict=True):
            mine.copy_(theirs)
    second.optimiser.load_state_dict(torch.load(file, weights_only=True))
    for _ in range(9):
        second.step(0.02)
    assert all(torch.equal(a, b) for a, b in zip(whole.tensors, second.tensors, strict=True))


def test_a_step_is_relative_to_the_size_of_a_tensor() -> None:
    moved = []
    for scale in (0.1, 1.0):
        tensor = nn.Parameter(scale * u("size", [50]))
        start, optimiser = tensor.detach().clone(), ScaledAdam([tensor], lr=0.01)
        tensor.grad = 7 * u("slope", [50])  # its scale does not matter
        optimiser.step()
        moved.append((tensor.detach() - start).norm().item() / start.norm().item())
    assert moved[0] == pytest.approx(moved[1], rel=1e-3) and 0 < moved[0] < 0.01


@pytest.mark.parametrize(("size", "change"), [(1.0, 0.004), (4.0, -0.004), (1e-7, 0.0)])
def test_sizes_stay_in_their_bounds(size: float, change: float) -> None:
    # Every gradient asks for a larger tensor: above the largest size it shrinks, below the smallest its size rests.
    tensor = nn.Parameter(torch.full((8,), size))
    optimiser = ScaledAdam([tensor], lr=0.01)
    for number in range(4):
        tensor.grad = torch.full((8,), -1.0)
        if number < 3:
            optimiser.step()
    state = optimiser.state[tensor]
    state["rms"], state["pulls"][3] = tensor.detach().square().mean().sqrt(), state["pulls"][2]
    found = optimiser._size_step(optimiser.param_groups[0], state).item()
    assert found == pytest.approx(change, rel=0.05)


def test_a_single_element_is_clamped_before_its_step() -> None:
    tensor = nn.Parameter(torch.tensor([12.0]))
    optimiser = ScaledAdam([tensor], lr=0.01)
    tensor.grad = torch.tensor([1.0])
    optimiser.step()
    assert tensor.item() == pytest.approx(10 - 0.001 * 0.1, abs=1e-6)


def test_a_burst_of_gradient_hardly_moves_sizes_once_norms_are_known() -> None:
    def size_after(clipping: float | None) -> tuple[float, float]:
        tensor = nn.Parameter(torch.ones(64))
        optimiser = ScaledAdam([tensor], lr=0.1, clipping_scale=clipping, clipping_update_period=6)
        for number in range(12):
            burst = 50.0 if number == 9 else 1.0
            tensor.grad = burst * (u(f"noise{number}", [64]) + 0.3)
            optimiser.step()
        state = optimiser.state[tensor]
        return state["pulls"].abs().max().item(), state["square"].max().item()

    free, clipped = size_after(None), size_after(2.0)
    assert clipped[0] < 0.2 * free[0]
    assert clipped[1] == pytest.approx(free[1], rel=0.01)  # the gradient itself is not scaled


def test_tensors_without_a_gradient_rest_and_a_closure_is_called() -> None:
    still, moving = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    optimiser = ScaledAdam([still, moving], lr=0.01)

    def closure() -> float:
        loss = moving.square().sum()
        loss.backward()
        return loss.item()

    assert optimiser.step(closure) == 3.0
    assert torch.equal(still, torch.ones(3)) and not torch.equal(moving, torch.ones(3))
