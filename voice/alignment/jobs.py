"""Which stretch of the transcript belongs to which segments, before anything is heard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from voice.alignment.words import Units, Word, script_words
from voice.text import Reading
from voice.transcripts import Utterance

Segment = Mapping[str, Any]  # a row of the table of segments
Source = Literal["transcript", "reviewer", "recogniser"]


@dataclass(frozen=True)
class Job:
    """Segments, in time, that share `words`. `lines` has the utterance of each word.

    Words of a `reviewer` or a `recogniser` are those of the one segment there is; none may be passed over.
    """

    segments: tuple[Segment, ...]
    words: tuple[Word, ...]
    lines: tuple[Utterance, ...]
    source: Source = "transcript"

    @property
    def given(self) -> bool:
        """Whether the words were given to just this segment."""
        return self.source != "transcript"

    def numbers(self) -> list[int]:
        """Which line each word is of, counted within the job: rows for other recordings change nothing."""
        known: dict[str, int] = {}
        return [known.setdefault(line.where, len(known)) for line in self.lines]

    def cues(self) -> list[tuple[float, float] | None]:
        """The times that each word's utterance was given, if any."""
        return [None if u.start is None or u.end is None else (u.start, u.end) for u in self.lines]


class Reader:
    """Turns utterances into words, and keeps what there is to say about them."""

    def __init__(self, read: Callable[..., Reading], lang: str, units: Units) -> None:
        """`read` takes a text and its language `lang`; `lang` is the voice's."""
        self._read, self._lang, self._units = read, lang, units
        self.notes: list[str] = []

    def language(self, utterance: Utterance) -> str:
        """Of an utterance: its own, else the voice's."""
        return utterance.lang or self._lang

    def job(self, segments: Iterable[Segment], utterances: Iterable[Utterance], source: Source = "transcript") -> Job:
        """The words of `utterances` for `segments`."""
        words: list[Word] = []
        lines: list[Utterance] = []
        for utterance in utterances:
            read = partial(self._read, lang=self.language(utterance))
            found, notes = script_words([utterance.text], read, self._units)
            self.notes += [f"{utterance.where}: {note}" for note in notes]
            words += found
            lines += [utterance] * len(found)
        return Job(tuple(segments), tuple(words), tuple(lines), source)


def share_out(
    segments: Sequence[Segment], files: Mapping[str, str], utterances: Sequence[Utterance], reader: Reader
) -> list[Job]:
    """One job a recording where the transcript says which it is of, else one over all recordings in their order.

    `files` has the path in the raw folder of each recording's id.
    """
    if not any(utterance.recording for utterance in utterances):
        return [reader.job(segments, utterances)]
    said: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        said.setdefault(utterance.recording or "", []).append(utterance)
    heard: dict[str, list[Segment]] = {}
    for segment in segments:
        heard.setdefault(segment["recording"], []).append(segment)
    return [
        reader.job(heard.get(recording, ()), sorted(said.get(file, ()), key=lambda u: u.start or 0.0))
        for recording, file in files.items()
        if recording in heard or file in said
    ]
