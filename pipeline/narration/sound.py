"""The sound of a book as a stream, opened anew for each pass, so that memory does not grow with its length."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.narration.layout import Placed
from pipeline.narration.standing import recipe_of, standing
from pipeline.narration.store import Known, LineStore
from voice.errors import UserError
from voice.mastering.chapters import Chapter
from voice.mastering.cover import Cover
from voice.mastering.encode import Written, write
from voice.mastering.held import Held
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


@dataclass(frozen=True)
class Sound:
    """Speech at `rate` Hz: `open` gives it anew for each pass, `digest` (sha256) tells it from any other."""

    open: Callable[[], Blocks]
    rate: int
    digest: str


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
    stem: Path, sound: Sound, finish: Finish, tags: dict[str, str], chapters: Sequence[Chapter], **more: Any
) -> list[Written]:
    """Write stem.FORMAT of every kind, labelled, each with its sidecar; `more` goes into that.

    A file that was made of the very same, and is as it was left, stands. The marks are part of what is measured, so
    the loudness is that of the file.
    """
    recipe = recipe_of(sound.digest, sound.rate, finish, tags, chapters, more)
    paths = [stem.with_name(f"{stem.name}.{form}") for form in finish.formats]
    made = {path: found for path in paths if (found := standing(path, recipe)) is not None}
    missing = [path for path in paths if path not in made]
    if missing:
        label = finish.facts.label()
        with ExitStack() as open_files:

            def hold() -> Held:
                return open_files.enter_context(Held(stem.parent))

            final, levels = _finished(sound, finish, hold if len(missing) > 1 or finish.loudness != "none" else None)
            if finish.loudness == "acx":
                from voice.mastering.acx import acx_report  # scipy's filters take a while to import

                levels["acx"] = acx_report(final(), sound.rate).to_dict()

            def encode(path: Path, blocks: Blocks) -> Written:
                return write(blocks, sound.rate, path, label=label, tags=tags, chapters=chapters, cover=finish.cover)

            made |= _at_once(encode, missing, final)
        for path in missing:
            write_facts(
                path, finish.facts, label, **more, **levels, seconds=round(made[path].seconds, 6),
                sample_rate=made[path].rate, mark=finish.mark.name, made_of=recipe,
                watermark=finish.watermark.name if finish.watermark else None,
            )  # fmt: skip
    return [made[path] for path in paths]


def _at_once(
    encode: Callable[[Path, Blocks], Written], paths: list[Path], opened: Callable[[], Blocks]
) -> dict[Path, Written]:
    """Encode the stream into each of the files, on as many cores as there are. The first error ends all of them."""
    stop = Event()

    def until_stopped() -> Iterator[NDArray[Any]]:
        for block in opened():
            if stop.is_set():
                raise CancelledError
            yield block

    with ThreadPoolExecutor(min(len(paths), os.cpu_count() or 1)) as pool:
        running = [pool.submit(encode, path, until_stopped()) for path in paths]
        try:
            return {path: one.result() for path, one in zip(paths, running, strict=True)}
        except BaseException:
            stop.set()
            raise


def _finished(
    sound: Sound, finish: Finish, hold: Callable[[], Held] | None
) -> tuple[Callable[[], Blocks], dict[str, Any]]:
    """The stream with its mark, at its loudness, with its watermark, and figures about it.

    What more than one pass reads is held on disk, where `hold` is given.
    """
    found: dict[str, Any] = {}
    rate = sound.rate

    def once(stream: Callable[[], Blocks]) -> Callable[[], Blocks]:
        if hold is None:
            return stream
        held = hold()
        for _ in held.fill(stream()):
            pass
        return held.blocks

    final = once(lambda: with_mark(sound.open(), rate, finish.mark)) if finish.mark.name != "none" else once(sound.open)
    if finish.loudness != "none":
        assert hold is not None
        from voice.mastering.loudness import find_target, master

        plain, limited = final, hold()
        mastering = master(plain, rate, find_target(finish.loudness), limited.fill)
        found["loudness"] = asdict(mastering)
        final = limited.blocks if mastering.limits else lambda: mastering.apply(plain(), rate)
    if (watermark := finish.watermark) is not None:
        unsigned = final
        final = once(lambda: watermark.embed(_floats(unsigned()), rate))
    return final, found


def _floats(blocks: Blocks) -> Iterator[NDArray[np.float32]]:
    from voice.mastering.blocks import as_float

    return map(as_float, blocks)
