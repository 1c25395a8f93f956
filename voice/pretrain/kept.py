"""What a checkpoint of a base training holds: the same for every trainer that has parts with a state."""

from __future__ import annotations

from typing import Any, ClassVar

import torch


class Kept:
    """Half of what `voice.train.loop` asks of a trainer: its state is that of its attributes named in `parts`."""

    parts: ClassVar[tuple[str, ...]] = ("model", "optimiser")

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
