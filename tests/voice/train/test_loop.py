"""The training loop: resume, best snapshot, step counts, frozen parameters."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from voice.errors import UserError
from voice.train.frozen import choose_trainable
from voice.train.loop import History, train, write_history
from voice.train.noted import Noted

SCRIPT = """
import sys, time, torch
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.voice.train.test_loop import Line
from voice.train.loop import train
line = Line(pause=0.03)
history = train(line, 60, Path({folder!r}), seed=3, save_every=5, validate_every=10)
torch.save(line.snapshot(), {out!r})
"""


class Line:
    """y = a x + b by gradient descent on noise drawn in each step, so that resuming must restore everything."""

    def __init__(self, pause: float = 0.0) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(3, 1)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=0.05)
        self.pause, self.steps_done = pause, 0

    def step(self, number: int) -> dict[str, float]:
        time.sleep(self.pause)
        self.steps_done += 1
        x = torch.randn(8, 3)
        loss = (self.model(x) - x.sum(-1, keepdim=True)).square().mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        x = torch.randn(16, 3)
        return {"loss": float((self.model(x) - x.sum(-1, keepdim=True)).square().mean())}

    def state(self) -> dict[str, object]:
        return {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state(self, state: dict[str, object]) -> None:
        self.model.load_state_dict(state["model"])  # type: ignore[arg-type]
        self.optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]

    def snapshot(self) -> dict[str, torch.Tensor]:
        return {k: v.detach().clone() for k, v in self.model.state_dict().items()}


def run(line: Line, steps: int, folder: Path) -> History:
    return train(line, steps, folder, seed=3, save_every=5, validate_every=10)


def test_a_resumed_run_equals_an_unbroken_one(tmp_path: Path) -> None:
    whole = Line()
    one = run(whole, 40, tmp_path / "a")
    run(Line(), 23, tmp_path / "b")
    resumed = Line()
    two = run(resumed, 40, tmp_path / "b")
    assert resumed.steps_done == 17
    assert all(torch.equal(a, b) for a, b in zip(whole.snapshot().values(), resumed.snapshot().values(), strict=True))
    assert one.best_step == two.best_step
    assert all(torch.equal(one.best[key], two.best[key]) for key in one.best)


def test_a_killed_run_resumes_at_its_last_checkpoint(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[3])
    out = tmp_path / "weights.pt"
    script = SCRIPT.format(root=root, folder=str(tmp_path / "run"), out=str(out))
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    while not (tmp_path / "run" / "checkpoint.pt").exists() and child.poll() is None:
        time.sleep(0.01)
    time.sleep(0.4)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not out.exists()
    again = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "resuming at step" in again.stdout
    plain = Line()
    train(plain, 60, tmp_path / "plain", seed=3, save_every=5, validate_every=10)
    found = torch.load(out, weights_only=True)
    assert all(torch.equal(found[key], value) for key, value in plain.snapshot().items())


def test_the_best_snapshot_is_the_lowest_validation(tmp_path: Path) -> None:
    history = run(Line(), 40, tmp_path)
    losses = {row["step"]: row["valid_loss"] for row in history.rows if "valid_loss" in row}
    assert history.best_step == min(losses, key=lambda step: losses[step])
    assert history.base_loss == losses[0] > history.best_loss
    assert f"step {history.best_step}" in history.choice()["why"]


def test_the_last_step_can_be_kept_in_place_of_the_lowest(tmp_path: Path) -> None:
    line = Line()
    history = train(line, 40, tmp_path, seed=3, validate_every=7, keep="last")
    assert history.best_step == 40 and "the last of the run" in history.choice()["why"]
    assert all(torch.equal(history.best[key], value) for key, value in line.snapshot().items())


def test_the_loss_table_has_a_step_column_and_holes_for_missing_values(tmp_path: Path) -> None:
    write_history(tmp_path / "loss.tsv", [{"step": 0, "valid_loss": 2.0}, {"step": 5, "loss": 1.5}])
    assert (tmp_path / "loss.tsv").read_text() == "step\tloss\tvalid_loss\n0\t\t2.0\n5\t1.5\t\n"


def test_only_named_parts_are_trained() -> None:
    model = nn.ModuleDict({"keep": nn.Linear(2, 2), "move": nn.Linear(2, 2)})
    chosen = choose_trainable(model, ["move"])
    assert len(chosen) == 2
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {"move.weight", "move.bias"}


def test_a_part_that_does_not_exist_is_named() -> None:
    with pytest.raises(UserError, match="'mvoe'.*keep"):
        choose_trainable(nn.ModuleDict({"keep": nn.Linear(2, 2)}), ["mvoe"])


def test_the_devices_that_took_steps_are_told_over_resumes(tmp_path: Path) -> None:
    def run(steps: int, device: str, folder: str = "run") -> list[str]:
        noted = Noted(Line(), device)
        train(noted, steps, tmp_path / folder, seed=3, validate_every=5)
        return list(noted.told()["devices"])

    assert run(5, "cpu") == ["cpu"]
    assert run(5, "a GPU") == ["cpu"]  # nothing was left to do
    assert run(10, "cpu") == ["cpu"]
    assert run(15, "a GPU") == ["cpu", "a GPU"]
    assert run(20, "cpu") == ["cpu", "a GPU", "cpu"]
    plain = train(Line(), 5, tmp_path / "older", seed=3, validate_every=5)
    assert run(5, "cpu", "older") == ["unknown"] and run(10, "cpu", "older") == ["unknown", "cpu"]
    noted = train(Noted(Line(), "cpu"), 5, tmp_path / "other", seed=3, validate_every=5)
    assert noted.rows == plain.rows and all(torch.equal(noted.best[name], plain.best[name]) for name in plain.best)
