"""What a checkpoint of a training holds: the same for every trainer that has parts with a state."""

from __future__ import annotations

from typing import Any

import torch


class Kept:
    """Half of what `voice.train.loop` asks of a trainer: its state is that of its attributes named in `parts`."""

    parts: tuple[str, ...] = ("model", "optimiser")

    def state(self) -> dict[str, Any]:
        """State of every part, by its name."""
        return {name: getattr(self, name).state_dict() for name in self.parts}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        for name in self.parts:
            getattr(self, name).load_state_dict(state[name])

    def snapshot(self) -> dict[str, torch.Tensor]:
        """No best step is chosen: the last one is the result."""
        return {}


class KeptBest(Kept):
    """The same for trainers of which the best step is chosen by what is held out."""

    model: Any

    def snapshot(self) -> dict[str, torch.Tensor]:
        """Copy of the model's weights as they are now."""
        return {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
