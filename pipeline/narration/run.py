"""A narration in this process, without Prefect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.engine import Loader, SayOptions
from pipeline.narration.gate import ATTEMPTS, Gate
from pipeline.narration.job import Narration
from pipeline.narration.lock import only_one
from pipeline.narration.options import BookOptions
from pipeline.narration.report import NarrationReport


def run_narration(
    root: Path,
    script: Path,
    voice: str,
    out: Path,
    options: SayOptions,
    load: Loader,
    watch: Callable[[int, int], None] = lambda done, total: None,
    *,
    book: BookOptions | None = None,
    gate: Gate | None = None,
    attempts: int = ATTEMPTS,
) -> NarrationReport:
    """Narrate in this process. `watch(done, total)` is called at the start and after each line."""
    with only_one(root, out):
        job = Narration(root, script, voice, out, options, load, book, gate, attempts)
        job.wake()
        watch(0, len(job.todo))
        for number, key in enumerate(job.todo, start=1):
            job.render(key)
            watch(number, len(job.todo))
        return job.finish()
