"""The sound of a book as a stream, opened anew for each pass, so that memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.narration.layout import Placed
from pipeline.narration.store import Known, LineStore
from voice.errors import UserError
from voice.mastering.chapters import Chapter
from voice.mastering.cover import Cover
from voice.mastering.encode import Written, write
from voice.mastering.joins import join
from voice.mastering.marks import Mark, with_mark
from voice.mastering.tags import Facts, write_facts
from voice.mastering.watermarks import Watermark

Blocks = Iterable[NDArray[Any]]


@dataclass(frozen=True)
class Finish:
    """What is done to every file: kinds, loudness ("none" leaves it), cover, audible mark, watermark, its facts."""

    formats: tuple[str, ...]
    loudness: str
    cover: Cover | None
    mark: Mark
    watermark: Watermark | None
    facts: Facts


def stream(
    store: LineStore, placed: Sequence[Placed], done: dict[str, Known], rate: int
) -> Iterator[NDArray[np.int16]]:
    """The samples of lines that follow each other, int16, a block a line; the first begins without its pause."""
    first = placed[0].start - round(placed[0].pause * rate) if placed else 0
    begin = placed[0].start if placed and first else 0  # a part of a book begins with sound

    def pieces() -> Iterator[tuple[NDArray[np.int16], float]]:
        for number, entry in enumerate(placed):
            pause = 0.0 if begin and number == 0 else entry.pause
            yield store.read(entry.key, done[entry.key].frames), pause

    for entry, piece in zip(placed, join(pieces(), rate), strict=True):
        if (piece.start, piece.end) != (entry.start - begin, entry.end - begin):
            raise UserError(f"line {entry.line.index} of the book changed while it was put together", "narrate again")
        yield piece.audio


def write_sound(
    stem: Path,
    open_blocks: Callable[[], Blocks],
    rate: int,
    finish: Finish,
    tags: dict[str, str],
    chapters: Sequence[Chapter],
    **more: Any,
) -> list[Written]:
    """Write stem.FORMAT of every kind, labelled, each with its sidecar; `more` goes into that.

    The marks are part of what is measured, so the loudness is that of the file.
    """
    label = finish.facts.label()

    def marked() -> Blocks:
        return with_mark(open_blocks(), rate, finish.mark) if finish.mark.name != "none" else open_blocks()

    final, levels = _finished(marked, rate, finish)
    if finish.loudness == "acx":
        from voice.mastering.acx import acx_report  # scipy's filters take a while to import

        levels["acx"] = acx_report(final(), rate).to_dict()
    made = []
    for form in finish.formats:
        path = stem.with_name(f"{stem.name}.{form}")
        written = write(final(), rate, path, label=label, tags=tags, chapters=chapters, cover=finish.cover)
        write_facts(
            path, finish.facts, label, **more, **levels, seconds=round(written.seconds, 6), sample_rate=written.rate,
            mark=finish.mark.name, watermark=finish.watermark.name if finish.watermark else None,
        )  # fmt: skip
        made.append(written)
    return made


def _finished(opened: Callable[[], Blocks], rate: int, finish: Finish) -> tuple[Callable[[], Blocks], dict[str, Any]]:
    """The stream at its loudness and with its watermark, and figures about it."""
    found: dict[str, Any] = {}
    louder = opened
    if finish.loudness != "none":
        from voice.mastering.loudness import find_target, master

        mastering = master(opened, rate, find_target(finish.loudness))
        found["loudness"] = asdict(mastering)

        def louder() -> Blocks:
            return mastering.apply(opened(), rate)

    if finish.watermark is None:
        return louder, found
    watermark = finish.watermark

    def signed() -> Blocks:
        return watermark.embed(_floats(louder()), rate)

    return signed, found


def _floats(blocks: Blocks) -> Iterator[NDArray[np.float32]]:
    from voice.mastering.blocks import as_float

    return map(as_float, blocks)
