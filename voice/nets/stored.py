"""A network in one safetensors file: float16 weights, and its kind and config in the metadata."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import nn

from voice.errors import UserError
from voice.weights import half, load_tensors, save_tensors


class Stored(nn.Module):
    """Base of the networks that are kept in files; `config` is a dataclass of `config_class`."""

    kind: ClassVar[str]
    config_class: ClassVar[type]
    config: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config

    def save(self, path: Path, extra: dict[str, Any] | None = None) -> None:
        """Write weights as float16 with the config, and `extra`, in the metadata."""
        about = {"kind": self.kind, "config": asdict(self.config)}
        save_tensors(path, half(self.state_dict()), about | (extra or {}))

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
            model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
        except (TypeError, RuntimeError, KeyError) as error:
            told = " ".join(str(error).split())[:200]
            raise UserError(
                f"{path}: its tensors and its config do not fit this program: {told}", "build it again"
            ) from error
        return model.eval()


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples they were."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
