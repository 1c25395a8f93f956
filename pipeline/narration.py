"""Narrate a script: render the lines that are missing, join all, say what was done. No Prefect in here.

A line is keyed by its content, so an edit renders one line, a move none; a killed run loses one line.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.engine import Engine, LineStore, Loader, SayOptions, line_key, sound_facts
from pipeline.script import ScriptLine, read_script
from voice.errors import UserError
from voice.files import sha256_file, write_bytes, write_json

PAUSES = {"start": 0.0, "line": 0.3, "paragraph": 0.8}  # seconds before a line
LINE_NAME = re.compile(r"\d{4,}-[0-9a-f]{8}\.flac")


@dataclass(frozen=True)
class NarrationPlan:
    """What a narration would do. `estimate` is in seconds, None while no line was ever timed."""

    lines: int
    characters: int
    to_render: int
    cached: int
    removed: int
    estimate: float | None


@dataclass(frozen=True)
class NarrationReport:
    """What a narration did: lines == rendered + cached + failed; `errors` has one text per failed line."""

    lines: int
    rendered: int
    cached: int
    removed: int
    failed: int
    seconds: float
    output: str
    rendered_lines: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True when every line is in the output."""
        return self.failed == 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"ok": self.ok, **asdict(self)}


class Narration:
    """One script, one voice, one output folder."""

    def __init__(self, root: Path, script: Path, voice: str, out: Path, options: SayOptions, load: Loader) -> None:
        self.script, self.voice, self.out, self.options = script, voice, out, options
        self.lines: list[ScriptLine] = read_script(script)
        self.engine: Engine = load(root, voice)
        self.store = LineStore(root / ".cache" / "items" / "narrate")
        lexicon = getattr(self.engine, "lexicon", None)  # of a Voice; other engines need have none
        self.keys = [line_key(line.text, self.engine.info, options, lexicon) for line in self.lines]
        self.texts = dict(zip(self.keys, (line.text for line in self.lines), strict=True))
        self.done: dict[str, dict[str, Any]] = {}
        for key in self.texts:
            if (facts := self.store.get(key)) is not None:
                self.done[key] = facts
        self.todo = [key for key in self.texts if key not in self.done]
        self.fresh: set[str] = set()
        self.errors: dict[str, str] = {}

    def plan(self) -> NarrationPlan:
        """Count what is to be done, and guess how long from the lines that were timed before."""
        timed = [(facts.get("took", 0.0), len(self.texts[key])) for key, facts in self.done.items()]
        speed = sum(took for took, _ in timed) / max(1, sum(length for _, length in timed))
        ahead = sum(len(self.texts[key]) for key in self.todo)
        return NarrationPlan(
            lines=len(self.lines),
            characters=sum(len(line.text) for line in self.lines),
            to_render=len(self.todo),
            cached=len(self.lines) - len(self.todo),
            removed=len(self._removed()),
            estimate=round(speed * ahead, 1) if timed or not ahead else None,
        )

    def render(self, key: str) -> None:
        """Render one line; one that cannot be said is noted and the rest goes on; a full disk ends it."""
        try:
            self.done[key] = self.store.render(key, self.texts[key], self.voice, self.engine, self.options)
            self.fresh.add(key)
        except UserError as error:
            self.errors[key] = str(error)
        except OSError as error:
            raise _disk(error, self.store.folder) from error
        except Exception as error:  # noqa: BLE001 - one bad line must not cost the other 499
            self.errors[key] = f"{type(error).__name__}: {error}"

    def finish(self) -> NarrationReport:
        """Write lines/, the joined file, its sidecar and, last, the manifest; drop unused lines."""
        removed = self._removed()
        try:
            rows, total = self._write()
        except OSError as error:
            raise _disk(error, self.out) from error
        kept = {row["file"] for row in rows}
        for path in (self.out / "lines").glob("*.flac"):
            if LINE_NAME.fullmatch(path.name) and f"lines/{path.name}" not in kept:
                path.unlink()
        failed = [line for line, key in zip(self.lines, self.keys, strict=True) if key in self.errors]
        first = {key: line.index for line, key in reversed(list(zip(self.lines, self.keys, strict=True)))}
        return NarrationReport(
            lines=len(self.lines),
            rendered=len(self.fresh),
            cached=len(self.lines) - len(self.fresh) - len(failed),
            removed=len(removed),
            failed=len(failed),
            seconds=round(total, 3),
            output=str(self._joined()),
            rendered_lines=sorted(first[key] for key in self.fresh),
            errors=[f"{self.script}, line {line.number}: {self.errors[self.keys[line.index - 1]]}" for line in failed],
        )

    def _joined(self) -> Path:
        return self.out / f"{self.script.stem}.flac"

    def _removed(self) -> set[str]:
        """Keys of the last run's manifest that this script no longer has."""
        return {row["key"] for row in read_manifest(self.out)} - set(self.keys)

    def _write(self) -> tuple[list[dict[str, Any]], float]:
        import soundfile

        from voice.label import LabelledFile, label_text, sidecar

        rows: list[dict[str, Any]] = []
        rate = self.options.rate or self.engine.sample_rate
        with LabelledFile(self._joined(), rate, self.voice) as book:
            for line, key in zip(self.lines, self.keys, strict=True):
                row: dict[str, Any] = {
                    "index": line.index,
                    "line": line.number,
                    "text": line.text,
                    "voice": self.voice,
                    "key": key,
                }
                facts = self.done.get(key)
                if facts is None:
                    row |= {"file": None, "sha256": None, "error": self.errors.get(key, "not rendered")}
                    rows.append(row)
                    continue
                if book.frames:
                    book.write_int16(np.zeros(round(PAUSES[line.gap] * rate), np.int16))
                name = f"lines/{line.index:04d}-{key[:8]}.flac"
                _place(self.store.audio(key), self.out / name, facts["sha256"])
                row |= {"file": name, "start": round(book.frames / rate, 6)}
                rows.append(row | {name: facts[name] for name in ("sha256", "seconds", "seed", "stop")})
                samples, _ = soundfile.read(self.store.audio(key), dtype="int16")
                book.write_int16(samples)
        total = book.frames / rate
        write_json(
            sidecar(self._joined()),
            {
                "label": label_text(self.voice),
                "voice": self.voice,
                **sound_facts(self.engine.info, self.options),
                "script_sha256": sha256_file(self.script),
                "sha256": sha256_file(self._joined()),
                "seconds": round(total, 6),
                "missing_lines": [row["index"] for row in rows if row["file"] is None],
            },
        )
        text = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
        write_bytes(self.out / "manifest.jsonl", text.encode())
        return rows, total


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """The rows of a narration's manifest, [] when there is none. Raises UserError when it is damaged."""
    path = folder / "manifest.jsonl"
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = []
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            row = json.loads(text)
            if not isinstance(row["key"], str):
                raise TypeError("key is no text")
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path}, line {number}: not a manifest row", "delete the file and narrate again"
            ) from error
        rows.append(row)
    return rows


def run_narration(
    root: Path,
    script: Path,
    voice: str,
    out: Path,
    options: SayOptions,
    load: Loader,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> NarrationReport:
    """Narrate in this process. `watch(done, total)` is called at the start and after each line."""
    with only_one(root, out):
        job = Narration(root, script, voice, out, options, load)
        watch(0, len(job.todo))
        for number, key in enumerate(job.todo, start=1):
            job.render(key)
            watch(number, len(job.todo))
        return job.finish()


@contextlib.contextmanager
def only_one(root: Path, out: Path) -> Iterator[None]:
    """Refuse to write `out` while another process does; the lock dies with its process."""
    folder = root / ".cache" / "items" / "narrate" / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16]
    with (folder / name).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{out}: another narration is writing there", "wait until it has ended") from None
        yield


def _place(source: Path, target: Path, digest: str) -> None:
    """Copy a line into the output unless it is there already."""
    if target.is_file() and sha256_file(target) == digest:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, temporary)
    temporary.replace(target)


def _disk(error: OSError, folder: Path) -> UserError:
    reason = "no space left" if error.errno == errno.ENOSPC else (error.strerror or str(error))
    return UserError(f"{folder}: {reason}", "finished lines are kept; mend it and run again")
