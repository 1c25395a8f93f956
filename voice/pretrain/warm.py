"""Start a network from an earlier base: every tensor whose name and shape fit is taken over."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from voice.weights import load_tensors


def warm_start(model: nn.Module, file: Path, prefixes: tuple[str, ...] = ("",)) -> int:
    """Copy into `model` the tensors of `file` that fit and begin with one of `prefixes`; returns how many.

    Raises UserError on a file that cannot be read.
    """
    tensors, _ = load_tensors(file)
    own = model.state_dict()
    fitting = {
        name: tensor.float()
        for name, tensor in tensors.items()
        if name.startswith(prefixes) and name in own and own[name].shape == tensor.shape
    }
    model.load_state_dict(fitting, strict=False)
    print(f"{len(fitting)} of {len(own)} tensors from {file}", flush=True)
    return len(fitting)
