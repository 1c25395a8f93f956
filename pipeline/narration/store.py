"""Where finished lines are kept: by key, a sound file and the facts about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.errors import UserError
from voice.files import sha256_file, write_json

FOLDER = Path(".cache/items/narrate")
_NEEDED = ("sha256", "frames", "sample_rate", "seed", "stop", "speech")


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept in memory of a finished line. speech: where sound begins and ends, seconds of the line.

    - ok, reasons: the gate's verdict; late: seconds that it is longer than its slot
    - took, characters: for estimates
    """

    sha256: str
    frames: int
    rate: int
    seed: int
    stop: str
    speech: tuple[float, float]
    took: float
    characters: int
    ok: bool
    reasons: tuple[str, ...]
    late: float
    attempts: int

    @property
    def seconds(self) -> float:
        """Length of the line."""
        return self.frames / self.rate


def known(facts: dict[str, Any]) -> Known:
    """The small part of a line's facts."""
    start, end = facts["speech"]
    return Known(
        facts["sha256"], facts["frames"], facts["sample_rate"], facts["seed"], facts["stop"], (start, end),
        facts.get("took", 0.0), facts.get("characters", 0), facts.get("ok", True), tuple(facts.get("reasons", ())),
        facts.get("late", 0.0), max(1, len(facts.get("attempts", ()))),
    )  # fmt: skip


class LineStore:
    """Finished lines under `folder`: <key>.flac and <key>.json. Safe to delete; a damaged line is absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def audio(self, key: str) -> Path:
        """Where the sound of `key` lies or will lie."""
        return self.folder / f"{key}.flac"

    def get(self, key: str) -> dict[str, Any] | None:
        """The facts of a finished line, or None; its sound is compared with its hash."""
        facts = self.facts(key)
        try:
            whole = facts is not None and sha256_file(self.audio(key)) == facts["sha256"]
        except OSError:
            return None
        return facts if whole else None

    def facts(self, key: str) -> dict[str, Any] | None:
        """The facts of a line, or None; its sound is not looked at."""
        try:
            facts: Any = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return facts if isinstance(facts, dict) and all(name in facts for name in _NEEDED) else None

    def keep(
        self, key: str, samples: NDArray[np.int16], rate: int, voice: str, facts: dict[str, Any]
    ) -> dict[str, Any]:
        """Write a line, int16 [N] at `rate` Hz. The facts are written last, so a killed run leaves no half line."""
        from voice.mastering.encode import write
        from voice.mastering.tags import Label

        written = write([samples], rate, self.audio(key), label=Label(voice, key[:32]))
        return self.note(key, {**facts, "sha256": written.sha256, "frames": len(samples), "sample_rate": rate})

    def note(self, key: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Write the facts of a line whose sound is there."""
        write_json(self.folder / f"{key}.json", facts)
        return facts

    def read(self, key: str, frames: int) -> NDArray[np.int16]:
        """The samples of a line, int16 [frames]. Raises UserError when they are not there any more."""
        import soundfile

        try:
            samples: NDArray[np.int16] = soundfile.read(self.audio(key), dtype="int16")[0]
        except (OSError, soundfile.LibsndfileError) as error:
            raise UserError(f"{self.audio(key)}: not readable", "narrate again") from error
        if len(samples) != frames:
            raise UserError(f"{self.audio(key)}: changed while it was read", "narrate again")
        return samples

    def some(self, most: int) -> Iterator[dict[str, Any]]:
        """Facts of any lines of any script, at most `most`."""
        for path in islice(self.folder.glob("*.json"), most):
            if (facts := self.facts(path.stem)) is not None:
                yield facts
