"""What is written down of a narration: rows of the manifest and the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.narration import provenance
from pipeline.narration.layout import Layout, Placed
from pipeline.narration.report import NarrationReport
from pipeline.narration.request import place_of
from pipeline.narration.store import Known
from pipeline.scripts import ScriptLine

if TYPE_CHECKING:
    from pipeline.narration.job import Narration


def line_name(line: ScriptLine, key: str) -> str:
    """Where a line lies in the output folder."""
    return f"lines/{line.index:04d}-{key[:8]}.flac"


def manifest_rows(job: Narration, layout: Layout) -> Iterator[dict[str, Any]]:
    """Rows of the manifest, in order, one line at a time."""
    placed = {entry.line.index: entry for entry in layout.placed}
    models: dict[str, dict[str, Any]] = {}
    for line, key in zip(job.script.lines, job.keys, strict=True):
        request = job.requests[key]
        if request.voice not in models:
            facts = provenance.facts_of(job.root, job.engines, [request.voice], [], job.options)
            models[request.voice] = {"model_sha256": facts.model_sha256, "consent_id": facts.consent_id}
        row = {
            "index": line.index, "line": line.number, "chapter": line.chapter, "text": line.text,
            "voice": request.voice, "lang": request.options.lang, "key": key, **models[request.voice],
        }  # fmt: skip
        if (entry := placed.get(line.index)) is None:
            yield row | {"file": None, "sha256": None, "error": job.errors.get(key, "not rendered")}
        else:
            yield row | _sound(entry, job.done[key], layout.rate)


def _sound(entry: Placed, known: Known, rate: int) -> dict[str, Any]:
    return {
        "file": line_name(entry.line, entry.key),
        "start": round(entry.start / rate, 6),
        "seconds": round(known.seconds, 6),
        "sha256": known.sha256,
        "seed": known.seed,
        "stop": known.stop,
        "ok": known.ok,
        "reasons": list(known.reasons),
        "attempts": known.attempts,
    }


def make_report(
    job: Narration, layout: Layout, removed: int, failing: set[str], made: list[Path], assembled: bool
) -> NarrationReport:
    """What was done: `failing` are keys of lines that are missing or refused, `made` the files of the book."""
    lines = list(zip(job.script.lines, job.keys, strict=True))
    wrong = [(place_of(job.script, line), key) for line, key in lines if key in failing]
    first = {key: line.index for line, key in reversed(lines)}
    rendered = job.fresh - failing
    main = made[0] if made else job.stem.with_name(f"{job.stem.name}.{job.book.formats[0]}")
    return NarrationReport(
        lines=len(lines),
        rendered=len(rendered),
        cached=len(lines) - len(rendered) - len(wrong),
        removed=removed,
        failed=len(wrong),
        seconds=round(layout.samples / layout.rate, 3),
        output=str(main),
        rendered_lines=sorted(first[key] for key in job.fresh),
        errors=[f"{place}: {job.errors.get(key, 'not rendered')}" for place, key in wrong if key not in job.done],
        doubtful=[f"{place}: {_reasons(job.done[key])}" for place, key in wrong if key in job.done],
        warnings=[*job.script.warnings, *job.notes, *layout.warnings],
        outputs=[str(path) for path in made],
        assembled=assembled,
    )


def _reasons(known: Known) -> str:
    return "; ".join(known.reasons) or "refused by the gate"
