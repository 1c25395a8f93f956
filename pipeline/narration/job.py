"""One narration: what it asks for, what is there already, what is to be rendered, and the book at the end.

A line is keyed by its content, so an edit renders one line, a move none; a killed run loses one line.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.engine import Loader, SayOptions
from pipeline.ledger.record import record_narration
from pipeline.narration import estimate, provenance
from pipeline.narration.batches import Outcome, disk_error, outcome
from pipeline.narration.book import Book, finish_of
from pipeline.narration.gate import ATTEMPTS, Gate, gate_name
from pipeline.narration.known_voices import known_voices
from pipeline.narration.layout import Layout, lay_out
from pipeline.narration.leftovers import drop_leftovers, drop_parts
from pipeline.narration.manifest import place_file, rows_of, write_manifest
from pipeline.narration.options import BookOptions
from pipeline.narration.pool import Engines
from pipeline.narration.records import line_name, make_report, manifest_rows
from pipeline.narration.render import Renderer
from pipeline.narration.report import NarrationPlan, NarrationReport
from pipeline.narration.request import Request, Requests
from pipeline.narration.spoken_mark import mark_request, spoken_mark
from pipeline.narration.store import FOLDER, Known, LineStore, known
from pipeline.scripts import read_cast, read_script
from voice.files import sha256_file
from voice.mastering.tags import Facts

_LINE_NAME = re.compile(r"\d{4,}-[0-9a-f]{8}\.flac")


class Narration:
    """One script, one narrator, one output folder. Raises UserError for whatever is wrong before a line is spoken."""

    def __init__(
        self,
        root: Path,
        script: Path,
        voice: str,
        out: Path,
        options: SayOptions,
        load: Loader,
        book: BookOptions | None = None,
        gate: Gate | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.root, self.voice, self.out, self.options = root, voice, out, options
        self.book = book or BookOptions()
        voices = known_voices(root, load)
        cast = read_cast(self.book.cast, voices) if self.book.cast else None
        self.script = read_script(script, cast, voices)
        self.engines = Engines(root, load)
        self.store = LineStore(root / FOLDER)
        self.renderer = Renderer(self.engines, self.store, gate, attempts)
        self.asked = Requests(self.script, voice, options, self.engines)
        self.requests: dict[str, Request] = {}
        self.keys: list[str] = []
        for line in self.script.lines:
            request = self.asked.of(line)
            self.requests.setdefault(request.key, request)
            self.keys.append(request.key)
        self._finish = finish_of(self.book, self._facts(), self.script.timed)  # a bad cover is told now
        self.done: dict[str, Known]
        self.todo: list[str]
        self.look_up()
        self.notes = self._unheard()
        self.fresh: set[str] = set()
        self.errors: dict[str, str] = {}

    def look_up(self) -> None:
        """Sort lines into those that are there now and those to render or to judge."""
        self.done, self.todo = {}, []
        for key in self.requests:
            facts = self.store.get(key)
            if facts is not None:
                self.done[key] = known(facts)
            if facts is None or not self.renderer.ready(facts):
                self.todo.append(key)

    def plan(self) -> NarrationPlan:
        """Count what is to be done, and guess how long from the lines that were timed before."""
        missing = [key for key in self.todo if key not in self.done]
        unjudged = set(self.todo) - set(missing)
        before = [row["key"] for row in rows_of(self.out)]
        speed = estimate.measured(self.done.values(), self.store)
        ahead = sum(len(self.requests[key].text) for key in missing)
        whole = sum(len(line.text) for line in self.script.lines)
        work = round(speed.work * ahead, 1) if speed else (None if ahead else 0.0)
        now = datetime.datetime.now().astimezone()
        return NarrationPlan(
            lines=len(self.keys),
            characters=whole,
            to_render=len(missing),
            cached=len(self.keys) - len(missing),
            changed=estimate.changed(before, self.keys, set(missing)) if before else 0,
            removed=len(set(before) - set(self.keys)),
            estimate=work,
            minutes=round(speed.speech * whole / 60, 1) if speed else None,
            eta=None if work is None else (now + datetime.timedelta(seconds=work)).isoformat(timespec="seconds"),
            chapters=len(self.script.chapters),
            to_judge=sum(key in unjudged for key in self.keys),
            warnings=[*self.script.warnings, *self.notes],
        )

    def wake(self) -> None:
        """Read the networks of the voices that have something to speak or to judge.

        Raises UserError for what is wrong with them, once and not at every line.
        """
        for voice in provenance.voices_of([self.requests[key] for key in self.todo]):
            wake = getattr(self.engines.get(voice), "wake", None)
            if wake is not None:
                wake()

    def batches(self, size: int) -> Iterator[list[Request]]:
        """The lines to render, `size` at a time, in order."""
        for start in range(0, len(self.todo), size):
            yield [self.requests[key] for key in self.todo[start : start + size]]

    def render(self, key: str) -> Outcome:
        """Render one line in this process and note what came of it."""
        found = outcome(self.renderer, self.requests[key])
        self.note([found])
        return found

    def note(self, outcomes: Iterable[Outcome]) -> None:
        """Take over what was rendered, here or elsewhere: the sound is in the store."""
        for found in outcomes:
            key, error = found["key"], found["error"]
            facts = None if error else self.store.get(key)
            if facts is None:
                self.done.pop(key, None)
                self.errors[key] = error or "its sound is not in the line store; is it on another disk?"
                continue
            self.done[key] = known(facts)
            if found["fresh"]:
                self.fresh.add(key)

    def finish(self) -> NarrationReport:
        """Write lines/, the book with all that belongs to it and, last, the manifest; drop unused lines.

        Raises UserError, with nothing written, when consent to one of the voices was revoked meanwhile.
        """
        for voice in self._voices():
            self.engines.get(voice)
        removed = len({row["key"] for row in rows_of(self.out)} - set(self.keys))
        failing = {key for key in self.requests if key not in self.done or not self.done[key].ok}
        layout = lay_out(self.script, self.keys, self.done, self.asked.rate)
        assemble = bool(layout.placed) and not (self.book.strict and failing)
        try:
            drop_parts(self.stem)
            for entry in layout.placed:
                place_file(
                    self.store.audio(entry.key),
                    self.out / line_name(entry.line, entry.key),
                    self.done[entry.key].sha256,
                )
            made = self._book(layout).write(self.stem, self.book.chapters) if assemble else []
            write_manifest(self.out, manifest_rows(self, layout))
            self._drop_lines(layout)
            if assemble:
                drop_leftovers(self.stem, made)
            if (gate := gate_name(self.renderer.gate)) is not None:
                from pipeline.narration.reviewed import review  # jinja2 is not needed before

                review(self, getattr(self.renderer.gate, "heard_by", gate))
        except OSError as error:
            raise disk_error(error, self.out) from error
        record_narration(self, layout, made)
        return make_report(self, layout, removed, failing, made, assemble)

    @property
    def stem(self) -> Path:
        """The book's path without a suffix."""
        return self.out / self.script.path.stem

    @property
    def facts(self) -> Facts:
        """What made the files, as their labels and sidecars have it."""
        return self._finish.facts

    def _facts(self) -> Facts:
        texts = [line.text for line in self.script.lines]
        return provenance.facts_of(self.root, self.engines, self._voices(), texts, self.options)

    def _unheard(self) -> list[str]:
        """Notes about voices that the gate cannot judge."""
        note = getattr(self.renderer.gate, "unheard", None)
        if note is None:
            return []
        return [told for voice in self._voices() if (told := note(voice, self.engines.get(voice)))]

    def _voices(self) -> list[str]:
        return provenance.voices_of(list(self.requests.values()))

    def _book(self, layout: Layout) -> Book:
        more = provenance.more_of(self.root, self.engines, self._voices(), self.options)
        missing = [line.index for line, key in zip(self.script.lines, self.keys, strict=True) if key not in self.done]
        more |= {"script_sha256": sha256_file(self.script.path), "missing_lines": missing}
        finish = self._finish
        if self.book.mark == "spoken":
            mark, notes = spoken_mark(self)
            finish, self.notes = replace(finish, mark=mark), [*self.notes, *notes]
            more["mark_text"] = mark_request(self).text
        return Book(self.script, layout, self.done, self.store, finish, more)

    def _drop_lines(self, layout: Layout) -> None:
        kept = {line_name(entry.line, entry.key) for entry in layout.placed}
        for path in (self.out / "lines").glob("*.flac"):
            if _LINE_NAME.fullmatch(path.name) and f"lines/{path.name}" not in kept:
                path.unlink()
