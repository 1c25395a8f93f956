"""The subtitles of a book: a cue a line, with the times of its words where the ear of the base told them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.narration.layout import Placed
from pipeline.narration.request import shown_text
from pipeline.narration.store import Known, LineStore
from voice.files import write_text
from voice.mastering.subtitles import Cue, Word, srt, vtt


def write_captions(
    stem: Path, placed: Sequence[Placed], done: dict[str, Known], store: LineStore, rate: int, shift: float
) -> list[Path]:
    """Write stem.srt and stem.vtt; `shift` seconds are added to the lines' times in the book."""
    cues = [_cue(entry, done[entry.key], store, entry.start / rate + shift) for entry in placed]
    made = []
    for suffix, write in ((".srt", srt), (".vtt", vtt)):
        path = stem.with_name(stem.name + suffix)
        write_text(path, write(cues))
        made.append(path)
    return made


def _cue(entry: Placed, line: Known, store: LineStore, start: float) -> Cue:
    """A cue lasts as long as there is sound, not as long as the file of the line."""
    facts = store.facts(entry.key) or {}
    words = tuple(Word(text, start + begin, start + end) for text, begin, end in facts.get("words") or ())
    return Cue(shown_text(entry.line.text), start + line.speech[0], start + line.speech[1], words)
