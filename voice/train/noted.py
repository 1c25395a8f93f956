"""On which devices a training took its steps: kept with its state, for the metadata of the weights."""

from __future__ import annotations

from typing import Any

import torch

from voice.train.loop import Trainer

UNKNOWN = "unknown"


class Noted:
    """A trainer that notes the device of its steps; of a resumed run there may be several, in their order.

    `device` is "cpu", any of which gives the same bytes, or "cuda", noted by the model of the GPU.
    """

    def __init__(self, trainer: Trainer, device: str) -> None:
        self.trainer, self.devices = trainer, list[str]()
        self.device = torch.cuda.get_device_name() if device == "cuda" else device

    def step(self, number: int) -> dict[str, float]:
        """One step of the trainer."""
        if self.device not in self.devices[-1:]:
            self.devices.append(self.device)
        return self.trainer.step(number)

    def validate(self) -> dict[str, float]:
        """Losses on what is held out."""
        return self.trainer.validate()

    def state(self) -> dict[str, Any]:
        """The trainer's, and the devices."""
        return {"trainer": self.trainer.state(), "devices": list(self.devices)}

    def load_state(self, state: dict[str, Any]) -> None:
        """What `state` gave, or a trainer's own, whose devices are not known."""
        noted = "devices" in state
        self.trainer.load_state(state["trainer"] if noted else state)
        self.devices = list(state["devices"]) if noted else [UNKNOWN]

    def snapshot(self) -> dict[str, torch.Tensor]:
        """Weights as they are now."""
        return self.trainer.snapshot()

    def told(self) -> dict[str, Any]:
        """For the metadata of weights: devices, and torch without its build (+cpu), which no byte of a CPU's shows."""
        return {"devices": list(self.devices), "torch": torch.__version__.partition("+")[0]}
