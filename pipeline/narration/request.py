"""A line of a script as what is asked of an engine: plain values that any process can render."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.engine import SayOptions, line_key
from pipeline.narration.pool import Engines, fingerprint
from pipeline.scripts import Script, ScriptLine
from pipeline.scripts.lines import Place
from pipeline.scripts.markup import shown
from voice.errors import UserError
from voice.files import sha256_file
from voice.speaking import Speaking
from voice.text.pauses import pause_tags

_UNITS = {".epub": "paragraph", ".csv": "row", ".srt": "cue", ".vtt": "cue"}


@dataclass(frozen=True, slots=True)
class Request:
    """One line to render. `key` stands for all the rest.

    - voice, engine: name, and `fingerprint` of what was loaded under it
    - ref, ref_text: path of another clip and what it says; seed: None is from the content
    - slot: seconds there are for the speech, None when it may last as long as it likes
    """

    key: str
    text: str
    voice: str
    engine: str
    options: SayOptions
    ref: str | None = None
    ref_text: str | None = None
    seed: int | None = None
    slot: float | None = None

    def plain(self) -> dict[str, Any]:
        """Plain values, for another process."""
        return asdict(self)

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Request:
        """What `plain` gave."""
        return cls(**{**values, "options": SayOptions(**values["options"])})


class Requests:
    """Makes requests of lines: `voice` and `options` are those of lines that say nothing themselves."""

    def __init__(self, script: Script, voice: str, options: SayOptions, engines: Engines) -> None:
        self.script, self.voice, self.engines = script, voice, engines
        self.rate = options.rate or engines.get(voice).sample_rate
        self._options = options
        self._references: dict[str, str] = {}
        self._prints: dict[str, str] = {}

    def of(self, line: ScriptLine) -> Request:
        """The request of a line. Raises UserError that names the line."""
        try:
            return self._of(line)
        except UserError as error:
            raise UserError(f"{place_of(self.script, line)}: {error.message}", error.hint) from error

    def _of(self, line: ScriptLine) -> Request:
        voice = line.voice or self.voice
        engine = self.engines.get(voice)
        if voice not in self._prints:
            self._prints[voice] = fingerprint(engine)
        options = replace(self._options, lang=line.lang or self._options.lang, rate=self._rate(engine.sample_rate))
        if line.speed != 1.0:
            usual = options.length_scale or float(engine.info.get("speaking", {}).get("length_scale", 1.0))
            options = replace(options, length_scale=round(usual / line.speed, 6))
            Speaking(length_scale=options.length_scale or 1.0)
        slot = None if line.start is None or line.end is None else round(line.end - line.start, 3)
        more = {"voice": voice, "ref": self._reference(line.ref), "ref_text": line.ref_text if line.ref else None}
        lexicon = getattr(engine, "lexicon", None)  # of a Voice; other engines need have none
        key = line_key(line.text, engine.info, options, lexicon, seed=line.seed, slot=slot, **more)
        words = line.ref_text if line.ref else None
        return Request(key, line.text, voice, self._prints[voice], options, line.ref, words, line.seed, slot)

    def _rate(self, own: int) -> int | None:
        """The rate to ask for: one book has one, and what a voice has by itself need not be asked for."""
        return self._options.rate or (None if own == self.rate else self.rate)

    def _reference(self, path: str | None) -> str | None:
        if path is None:
            return None
        if path not in self._references:
            try:
                self._references[path] = sha256_file(Path(path))
            except OSError as error:
                raise UserError(f"ref {path}: {error.strerror or error}", "give a short clip of the voice") from error
        return self._references[path]


def place_of(script: Script, line: ScriptLine) -> str:
    """Where a line stands, for messages."""
    return Place(script.path, _UNITS.get(script.path.suffix.lower(), "line")).at(line.number)


def shown_text(text: str) -> str:
    """A line as it is read in subtitles, without marks of the reader."""
    return shown(text)


def spoken_text(text: str) -> str:
    """A line without its pause tags; marks that say how a word is read are still there."""
    for start, end, _ in reversed(pause_tags(text) if "[" in text else []):
        text = f"{text[:start]} {text[end:]}"
    return " ".join(text.split())


def pause_seconds(text: str) -> float:
    """Silence that the tags inside a line ask for."""
    return sum(seconds for *_, seconds in (pause_tags(text) if "[" in text else []))


def longest_pause(text: str) -> float:
    """The longest silence that a tag inside a line asks for, seconds."""
    return max((seconds for *_, seconds in (pause_tags(text) if "[" in text else [])), default=0.0)
