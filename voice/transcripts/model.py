"""The values of a transcript, the same for every format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# How languages are written: our codes, and those that lists of the published trainer use besides.
LANGUAGES = {"en": "en", "zh": "zh", "ja": "ja", "jp": "ja", "ko": "ko", "yue": "yue"}

REASONS = {
    "unknown_recording": "no recording of that name in the voice's folder",
    "ambiguous_recording": "several recordings have that name",
    "path_escape": "the path leaves the voice's folder",
    "no_text": "no letter or digit in the text",
    "not_speech": "a subtitle that only describes a sound",
    "bad_times": "start and end are not two rising times in seconds",
    "unknown_language": "a language that is not read here",
    "duplicate": "the same recording, or part of it, was given words before",
    "bad_row": "not a row of this format",
    "stray_text": "text that belongs to no subtitle",
    "no_row": "a recording that no row gives words to",
}


@dataclass(frozen=True)
class Utterance:
    """What is said: in a recording (its path in the raw folder) from `start` to `end` (s), as far as that is known.

    `lang` is a code of LANGUAGES, None for the voice's own; `where` says where it was read ("transcript.csv: row 3").
    """

    text: str
    recording: str | None
    start: float | None
    end: float | None
    lang: str | None
    where: str


@dataclass(frozen=True)
class Fault:
    """A row that was left out: `reason` is a key of REASONS, `detail` says which rule broke and by what."""

    where: str
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}: {self.detail}"


@dataclass(frozen=True)
class Transcript:
    """The words of a voice; without a `source_file` there are none and a recogniser has to find them."""

    utterances: tuple[Utterance, ...]
    source_file: Path | None
    faults: tuple[Fault, ...]

    def fault_counts(self) -> dict[str, int]:
        """How many rows were left out, by reason."""
        return dict(sorted(Counter(fault.reason for fault in self.faults).items()))


@dataclass(frozen=True)
class Row:
    """One row as it was written, nothing checked: from JSON a value may be of any kind."""

    where: str
    text: object
    file: object = None
    lang: object = None
    start: object = None
    end: object = None
