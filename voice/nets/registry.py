"""Networks for one purpose, chosen by name; the code of each is imported when it is first made or read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from safetensors import SafetensorError

from voice.nets.stored import Stored
from voice.weights import read_meta

Net = TypeVar("Net", bound=Stored)


@dataclass(frozen=True)
class Choice(Generic[Net]):
    """`kind` is what files of the class call themselves (`Stored.kind`), `find` imports the class."""

    kind: str
    find: Callable[[], type[Net]]


class Registry(Generic[Net]):
    """`what` names the purpose in messages; the first choice answers for files that hold none of the kinds."""

    def __init__(self, what: str, choices: Mapping[str, Choice[Net]]) -> None:
        self.what, self.choices = what, choices

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self.choices)

    def make(self, name: str, config: Any = None) -> Net:
        """A fresh network; `config` is its class's own dataclass, its fields as a mapping, or None for the defaults.

        Raises ValueError when the name is unknown or the config is not one of its kind.
        """
        if name not in self.choices:
            raise ValueError(f"unknown {self.what} {name!r}: choose one of {', '.join(sorted(self.choices))}")
        found: type[Any] = self.choices[name].find()
        if isinstance(config, Mapping):
            sizes = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
            if unknown := sorted(set(sizes) - set(found.config_class.__dataclass_fields__)):
                raise ValueError(f"{name}: no such settings: {', '.join(unknown)}")
            config = found.config_class(**sizes)
        if config is not None and not isinstance(config, found.config_class):
            raise ValueError(f"{name} takes a {found.config_class.__name__}, not a {type(config).__name__}")
        return found(config)

    def load(self, path: Path) -> Net:
        """Read the network that a file holds, whichever it is; float32, evaluation mode.

        Raises UserError when the file is missing, broken or holds another network.
        """
        try:
            kind = str(read_meta(path).get("kind"))
        except (OSError, SafetensorError, json.JSONDecodeError):
            kind = ""  # loading it says what is wrong with it
        default, *_ = self.choices.values()
        choice = next((choice for choice in self.choices.values() if choice.kind == kind), default)
        return choice.find().load(path)
