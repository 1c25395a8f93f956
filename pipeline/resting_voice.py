"""A voice that is asked what it is before it is asked to speak: its networks are read at the first word.

What a narration needs to key its lines is in the files' hashes and headers, and reading those takes no torch: a book
without a new line costs no network. `voice.synthesis.Voice` says the same of itself, and when it does not, the files
changed in between.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from voice.consent.seen import sha256_of
from voice.consent.use import Use
from voice.errors import UserError
from voice.speaking import Speaking

if TYPE_CHECKING:
    from voice.guard import Guard
    from voice.synthesis import Speech, Voice

TRAINED = ("semantic.safetensors", "acoustic.safetensors")
EVERY_BASE, SOME_BASES = ("content.safetensors",), ("bert.safetensors", "bert_tokenizer.json", "speaker.safetensors")
EAR, TABLE = "aligner.safetensors", "heard.safetensors"
_META = "reprovoice"  # as voice.weights writes it, which needs torch


class RestingVoice:
    """An `Engine` with the `info`, `sample_rate` and `lexicon` that `Voice.load` of the same folders would have.

    Raises UserError, as `Voice.load` does, when a file is missing or cut short, and when consent does not allow
    `purpose`; the rest of what can be wrong with weights is told when they are read.
    """

    def __init__(
        self, models: Path, base: Path, threads: int, speaking: Speaking, lexicon: Mapping[str, str], purpose: str
    ) -> None:
        for path, hint in [(models / name, "the voice is not built") for name in TRAINED] + [
            (base / name, "the base is not set up") for name in EVERY_BASE
        ]:
            if not path.is_file():
                raise UserError(f"{path}: {hint}", "run `dvc repro` first")
        Use(models, purpose).ask()
        self.models, self.base, self.threads, self.purpose = models, base, threads, purpose
        self.speaking, self.lexicon = speaking, dict(lexicon)
        self.info = self._describe()
        self._rate: int | None = _header(models / "acoustic.safetensors").get("config", {}).get("sample_rate")
        self._waking = threading.Lock()
        self._voice: Voice | None = None

    @property
    def sample_rate(self) -> int:
        """Hz, as the weights of s2 say; of weights that do not, as the network says."""
        return self._rate or self.wake().sample_rate

    @property
    def hears(self) -> bool:
        """Whether the base has an ear, as `guard` would say."""
        return (self.base / EAR).is_file()

    @property
    def guard(self) -> Guard | None:
        """What hears finished speech; reads the networks."""
        return self.wake().guard if self.hears else None

    def say(self, text: str, **options: Any) -> Speech:
        """See `Voice.say`."""
        return self.wake().say(text, **options)

    def wake(self) -> Voice:
        """The voice, its networks read at the first call.

        Raises UserError when they cannot be read, may not be used, or are not those that were described.
        """
        with self._waking:
            if self._voice is None:
                from voice.synthesis import Voice  # torch and the networks take seconds to import

                found = Voice.load(self.models, self.base, self.threads, self.speaking, self.lexicon, self.purpose)
                if found.info != self.info or self._rate not in (None, found.sample_rate):
                    raise UserError(f"{self.models}: the voice has changed since it was looked at", "run it again")
                self._voice = found
            return self._voice

    def _describe(self) -> dict[str, Any]:
        """sha256 of every file that decides the sound, and how it speaks: `Voice.info`."""
        there = [name for name in SOME_BASES if (self.base / name).is_file()]
        paths = [*(self.models / name for name in TRAINED), *(self.base / name for name in (*EVERY_BASE, *there))]
        for name in (EAR, TABLE):
            paths += [self.base / name] if (self.base / name).is_file() else []
        for path in paths:
            if path.suffix == ".safetensors":
                _header(path)
        info: dict[str, Any] = {path.stem: sha256_of(path) for path in paths}
        if (self.models / "reference.json").is_file():
            info["reference"] = _sha256(self.models / "reference.flac")
        return {**info, "speaking": asdict(self.speaking)}


def _header(path: Path) -> dict[str, Any]:
    """The metadata of a safetensors file. Raises UserError when it is cut short or none."""
    try:
        with safe_open(str(path), framework="numpy") as file:
            return dict(json.loads((file.metadata() or {}).get(_META, "{}")))
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path}: not a readable safetensors file: {error}", "restore the file") from error


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}", "run `dvc repro` first") from error
