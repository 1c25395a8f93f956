"""Watermarks that cannot be heard, by packages that are not ours: one interface, found by name. None is bundled.

A package (or the user's own module) offers one by an entry point of the group `reprovoice.watermarks` that gives a
function without arguments, or by calling `register`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from typing import Protocol

from voice.errors import UserError
from voice.mastering.blocks import Wave

GROUP = "reprovoice.watermarks"


class Watermark(Protocol):
    """What a package must offer. As many samples must come out as go in, the same ones each time."""

    @property
    def name(self) -> str:
        """Package and version, for the sidecar."""

    def embed(self, blocks: Iterable[Wave], rate: int) -> Iterator[Wave]:
        """The stream float32 [N] at `rate` Hz with the mark in it."""

    def detect(self, audio: Wave, rate: int) -> float:
        """How sure it is that `audio` holds its mark, 0 to 1."""


Factory = Callable[[], Watermark]
_registered: dict[str, Factory] = {}


def register(name: str, factory: Factory) -> None:
    """Make a watermark known in this process; a later one of the same name replaces it."""
    _registered[name] = factory


def known() -> list[str]:
    """The names that `find_watermark` finds, sorted."""
    return sorted({*_registered, *(entry.name for entry in entry_points(group=GROUP))})


def find_watermark(name: str) -> Watermark:
    """The watermark called `name`. Raises UserError when it is not installed or its package does not load."""
    factory = _registered.get(name)
    try:
        if factory is None:
            entries = [entry for entry in entry_points(group=GROUP) if entry.name == name]
            if not entries:
                raise UserError(
                    f"watermark {name!r}: no installed package offers it",
                    f"installed are: {', '.join(known())}" if known() else "none is installed; leave the option out",
                )
            factory = entries[0].load()
        return factory()
    except (ImportError, AttributeError) as error:
        raise UserError(f"watermark {name!r}: its package does not load: {error}", "install it again") from error
