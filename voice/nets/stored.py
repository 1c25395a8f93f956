"""A network in one safetensors file: float16 weights, its kind and config in the metadata.

A class may keep its matrices in few bits (`few_bits`) and leave out what follows from its config (`by_rule`).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import nn

from voice.bits import Packed, Scheme, pack, unpack
from voice.errors import UserError
from voice.weights import half, load_tensors, save_tensors


class Stored(nn.Module):
    """Base of the networks that are kept in files; `config` is a dataclass of `config_class`.

    `few_bits` names the tensors of two or more dimensions that are packed, by the beginning of their names, and how;
    `by_rule` those that are in no file, because making the network sets them.
    """

    kind: ClassVar[str]
    config_class: ClassVar[type]
    few_bits: ClassVar[dict[str, Scheme]] = {}
    by_rule: ClassVar[tuple[str, ...]] = ()
    config: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config

    def save(self, path: Path, extra: dict[str, Any] | None = None) -> None:
        """Write weights as float16 or packed, with the config, and `extra`, in the metadata."""
        about: dict[str, Any] = {"kind": self.kind, "config": asdict(self.config)} | (extra or {})
        kept: dict[str, torch.Tensor] = {}
        for name, tensor in self.state_dict().items():
            if self.by_rule and name.startswith(self.by_rule):
                continue
            scheme = next((how for prefix, how in self.few_bits.items() if name.startswith(prefix)), None)
            if scheme is None or tensor.dim() < 2:
                kept |= half({name: tensor})
                continue
            packed = pack(tensor.detach().cpu().numpy(), scheme)
            kept |= {f"{name}.data": torch.from_numpy(packed.data), f"{name}.scales": torch.from_numpy(packed.scales)}
            sizes = {"bits": scheme.bits, "group": scheme.group, "shape": list(packed.shape), "unit": packed.unit}
            about.setdefault("packed", {})[name] = sizes
        save_tensors(path, kept, about)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file written by `save`; float32, evaluation mode. Raises UserError on a bad or other file."""
        tensors, meta = load_tensors(path)
        if meta.get("kind") != cls.kind:
            raise UserError(
                f"{path}: holds {meta.get('kind', 'no network of ours')}, not {cls.kind}", "restore the file"
            )
        try:
            model = cls(cls.config_class(**{name: _tuples(value) for name, value in meta["config"].items()}))
            for name, how in meta.get("packed", {}).items():
                tensors[name] = _unpacked(tensors.pop(f"{name}.data"), tensors.pop(f"{name}.scales"), how)
            own = {name: t for name, t in model.state_dict().items() if cls.by_rule and name.startswith(cls.by_rule)}
            model.load_state_dict(own | {name: tensor.float() for name, tensor in tensors.items()})
        except (TypeError, RuntimeError, KeyError, ValueError) as error:
            told = " ".join(str(error).split())[:200]
            raise UserError(
                f"{path}: its tensors and its config do not fit this program: {told}", "build it again"
            ) from error
        return model.eval()


def _unpacked(data: torch.Tensor, scales: torch.Tensor, how: dict[str, Any]) -> torch.Tensor:
    """The weight that `save` packed. Raises KeyError or ValueError when `how` does not describe it."""
    scheme = Scheme(how["bits"], how["group"])
    return torch.from_numpy(unpack(Packed(data.numpy(), scales.numpy(), tuple(how["shape"]), scheme, how["unit"])))


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples they were."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
