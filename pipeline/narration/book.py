"""A laid out book written down: whole, chapter by chapter, with subtitles and sidecars."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.narration.captions import write_captions
from pipeline.narration.layout import Layout, Placed
from pipeline.narration.options import BookOptions
from pipeline.narration.sound import Finish, Sound, stream, write_sound
from pipeline.narration.store import Known, LineStore
from pipeline.scripts import Script
from voice.mastering.chapters import Chapter
from voice.mastering.cover import read_cover
from voice.mastering.marks import NoMark, ToneMark
from voice.mastering.tags import Facts
from voice.mastering.watermarks import find_watermark


@dataclass(frozen=True)
class Book:
    """All that a book is made of. `more` goes into every sidecar."""

    script: Script
    layout: Layout
    done: dict[str, Known]
    store: LineStore
    finish: Finish
    more: dict[str, Any]

    def write(self, stem: Path, per_chapter: bool) -> list[Path]:
        """Write stem.FORMAT, its subtitles and, with `per_chapter`, a file a chapter below chapters/."""
        lead = self._lead()
        chapters = self.layout.chapters(self.script.chapters, lead)
        made = self._part(stem, self.layout.placed, self._tags(), chapters, -_offset(self.layout, 0) + lead)
        if per_chapter:
            made += self._chapters(stem.parent / "chapters")
        return made

    def _chapters(self, folder: Path) -> list[Path]:
        parts: dict[int, list[Placed]] = {}
        for entry in self.layout.placed:
            parts.setdefault(entry.line.chapter, []).append(entry)
        made: list[Path] = []
        for place, (number, placed) in enumerate(parts.items(), start=1):
            title = self.script.chapters[number] or f"Chapter {place}"
            tags = {**self._tags(), "title": title, "track": f"{place}/{len(parts)}"}
            shift = self._lead() - _begin(placed, self.layout.rate) / self.layout.rate
            made += self._part(folder / f"{place:03d}-{slug(title)}", placed, tags, [], shift)
        return made

    def _part(
        self, stem: Path, placed: list[Placed], tags: dict[str, str], chapters: list[Chapter], shift: float
    ) -> list[Path]:
        rate = self.layout.rate
        if not placed:
            return []
        parts = [[self.done[entry.key].sha256, entry.pause, entry.start, entry.end] for entry in placed]
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        sound = Sound(lambda: stream(self.store, placed, self.done, rate), rate, digest)
        written = write_sound(stem, sound, self.finish, tags, chapters, **self.more)
        captions = write_captions(stem, placed, self.done, self.store, rate, shift)
        return [*(one.path for one in written), *captions]

    def _lead(self) -> float:
        return len(self.finish.mark.lead(self.layout.rate)) / self.layout.rate

    def _tags(self) -> dict[str, str]:
        title = self.script.title or self.script.path.stem
        given = {"album_artist": self.script.author, "language": self.script.language}
        return {"title": title, "album": title, "artist": self.finish.facts.voice, "genre": "Audiobook"} | {
            name: value for name, value in given.items() if value
        }


def finish_of(options: BookOptions, facts: Facts, timed: bool) -> Finish:
    """What is done to every file. A mark before timed speech would move it, so there it stands at the end.

    Raises UserError for a cover that is no picture and for a watermark that is not installed.
    """
    tone = ToneMark(place="end" if timed else "start")
    return Finish(
        formats=tuple(dict.fromkeys(options.formats)),
        loudness=options.loudness,
        cover=read_cover(options.cover) if options.cover else None,
        mark=tone if options.mark == "tone" else NoMark(),
        watermark=find_watermark(options.watermark) if options.watermark else None,
        facts=replace(facts, parameters={**facts.parameters, "loudness": options.loudness}),
    )


def slug(title: str) -> str:
    """A title as part of a file's name: letters and digits of any script, at most 60 bytes."""
    words = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFC", title)).strip("-_")
    return words.encode()[:60].decode("utf-8", "ignore").strip("-") or "chapter"


def _begin(placed: list[Placed], rate: int) -> int:
    """The sample of the book at which the file of these lines begins, as in `sound.stream`."""
    first = placed[0].start - round(placed[0].pause * rate)
    return placed[0].start if first else 0


def _offset(layout: Layout, first: int) -> float:
    return _begin(layout.placed[first:], layout.rate) / layout.rate if layout.placed else 0.0
