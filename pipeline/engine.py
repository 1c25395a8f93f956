"""What narration needs of a voice, and how lines are keyed by content."""

from __future__ import annotations

import hashlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from voice.errors import UserError
from voice.speaking import Speaking

# Raise it when the same text, weights and options shall be rendered anew.
ENGINE_VERSION = 2
LANGUAGES = ("auto", "en", "zh", "ja", "ko", "yue")
DEFAULT_ENGINE = "pipeline.voices:load_voice"


@dataclass(frozen=True)
class SayOptions:
    """How lines are spoken. What is None here is as `speaking` in params.yaml says. `rate` in Hz resamples."""

    lang: str = "auto"
    noise_scale: float | None = None
    length_scale: float | None = None
    rate: int | None = None

    def __post_init__(self) -> None:
        """Raise UserError for a value no voice can use."""
        if self.lang not in LANGUAGES:
            raise UserError(f"--lang {self.lang}: unknown language", f"use one of {', '.join(LANGUAGES)}")
        given: dict[str, Any] = {"noise_scale": self.noise_scale, "length_scale": self.length_scale}
        Speaking(**{name: value for name, value in given.items() if value is not None})
        if self.rate is not None and not 8000 <= self.rate <= 192_000:
            raise UserError(f"--rate {self.rate}: not in 8000 to 192000 Hz", "48000 is usual for video")


class Engine(Protocol):
    """The part of voice.synthesis.Voice that narration uses."""

    @property
    def sample_rate(self) -> int:
        """Hz."""

    @property
    def info(self) -> dict[str, Any]:
        """Hashes of the weights, and under `speaking` how the voice speaks by default."""

    def say(self, text: str, **options: Any) -> Any:
        """A Speech: audio float32 [N], sample_rate, seed, stop.

        `options` are a seed, a clip as `ref` with its `ref_text`, and the fields of SayOptions.
        """


Loader = Callable[[Path, str], Engine]


def find_loader(name: str) -> Loader:
    """The function `module:name`, which takes (project root, voice name) and returns an Engine."""
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"engine {name}: {error}", "give module:function") from error
    if not callable(found):
        raise UserError(f"engine {name}: not a function", "give module:function")
    loader: Loader = found
    return loader


def uses_gpu(load: Loader) -> bool:
    """Whether this loader's engines compute on a GPU: it says so by an attribute `gpu`. Voices speak on the CPU."""
    return bool(getattr(load, "gpu", False))


def sound_facts(info: dict[str, Any], options: SayOptions, **more: Any) -> dict[str, Any]:
    """For a sidecar: `weights` by hash, and the `parameters` in force, those of the call over the voice's own."""
    weights = {name: value for name, value in info.items() if name != "speaking"}
    given = {name: value for name, value in asdict(options).items() if value is not None}
    return {"weights": weights, "parameters": {**info.get("speaking", {}), **given, **more}}


def line_key(
    text: str, info: dict[str, Any], options: SayOptions, lexicon: Mapping[str, str] | None = None, **more: Any
) -> str:
    """sha256 over everything that decides how a line sounds. Its place in the script is not part of it.

    Of the lexicon, the words that occur in the line count, so that a new word renders the lines that have it. `more`
    is what only some lines have, such as a reference's sha256; None counts as not given.
    """
    own = {word: said for word, said in (lexicon or {}).items() if word.casefold() in text.casefold()}
    given = {name: value for name, value in {**more, "lexicon": own or None}.items() if value is not None}
    parts = [ENGINE_VERSION, text, info, asdict(options), *([given] if given else [])]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def line_seed(key: str, attempt: int = 0) -> int:
    """The seed of a line, 0 to 2**31 - 1, from its content; each further attempt has its own."""
    if attempt:
        key = hashlib.sha256(f"{key}:{attempt}".encode()).hexdigest()
    return int(key[:16], 16) % 2**31
