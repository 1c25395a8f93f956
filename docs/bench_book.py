"""A book of 500 lines by a real voice: cold, again, with one line edited, with lines moved; and killed in between.

python docs/bench_book.py [--voice demo_en] [--root PROJECT] [--lines 500] [--chapters 5] [--kills 10] [--seed 0]
    [--format flac] [--loudness none] [--direct]

The project is copied by links into a temporary folder, whose line store and outputs are its own; nothing is written
into PROJECT. Each run is `reprovoice narrate` in a process of its own, with Prefect unless --direct. CPU is that of the
process and its children; "beside" is wall time less what the line store says the rendered lines took. With --kills K a
second copy narrates the same book and its processes are killed with -9 at K moments by lot, spread over the length of
the rendering, and once more while the book is put together; each new run starts at once, and its time counts from when
it has opened its folder. Its files are then compared with those of the first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bench_book_check as check
import bench_book_text as text
import numpy as np
from rich.console import Console
from rich.table import Table

from voice.mastering.loudness import TARGETS

CHECKOUT = Path(__file__).resolve().parents[1]
STORE = Path(".cache/items/narrate")


class Scratch:
    """A copy of a project by links, a book in it, and the command that narrates it."""

    def __init__(self, folder: Path, project: Path, chosen: argparse.Namespace) -> None:
        self.root, self.out, self.store = folder, folder / "out/book", folder / STORE
        folder.mkdir()
        for name in ("params.yaml", "dvc.yaml", "lexicon.yaml", "models", "data"):
            if (project / name).exists():
                (folder / name).symlink_to(project / name)
        self._command = [sys.executable, "-m", "pipeline.cli", "narrate", "book.md", "--voice", chosen.voice]
        self._command += [f"--format={form}" for form in chosen.formats]
        self._command += ["--loudness", chosen.loudness, "--json"]
        self._command += ["--direct"] if chosen.direct else []
        paths = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
        self._env = {**os.environ, "PYTHONPATH": paths, "PREFECT_HOME": str(folder / ".prefect")}
        self._env.pop("PREFECT_API_URL", None)

    def write(self, chapters: list[tuple[str, list[str]]]) -> None:
        """The script."""
        (self.root / "book.md").write_text(text.markdown(chapters), encoding="utf-8")

    def start(self) -> subprocess.Popen[bytes]:
        """The narration, in the background; what it prints lies in run.out and run.err."""
        with (self.root / "run.out").open("wb") as out, (self.root / "run.err").open("wb") as err:
            return subprocess.Popen(self._command, cwd=self.root, env=self._env, stdout=out, stderr=err)

    def ended(self, running: subprocess.Popen[bytes]) -> dict[str, Any]:
        """The report of a narration, when it is done. Ends the program where it failed."""
        if running.wait() != 0:
            raise SystemExit((self.root / "run.err").read_text())
        return dict(json.loads((self.root / "run.out").read_text()))

    def run(self) -> dict[str, Any]:
        """Narrate: the report, with `wall`, `cpu` and `took` (s of the rendering itself)."""
        before, began, cpu = set(self.finished()), time.monotonic(), _cpu()
        report = self.ended(self.start())
        fresh = [json.loads((self.store / f"{key}.json").read_text()) for key in set(self.finished()) - before]
        took = sum(facts["took"] for facts in fresh)
        return report | {"wall": time.monotonic() - began, "cpu": _cpu() - cpu, "took": took}

    def finished(self) -> dict[str, tuple[int, int]]:
        """{key: when and as which file it was kept} of all lines that are finished."""
        return {path.stem: (path.stat().st_mtime_ns, path.stat().st_ino) for path in self.store.glob("*.json")}

    def begun(self) -> float:
        """When (s, of the clock) a run last took the folder for itself."""
        return max((path.stat().st_mtime for path in (self.store / "locks").glob("*")), default=0.0)

    def lines(self) -> dict[str, str]:
        """{key: sha256 of its file} of the lines in the output."""
        rows = [json.loads(row) for row in (self.out / "manifest.jsonl").read_text().splitlines()]
        return {row["key"]: _sha256(self.out / row["file"]) for row in rows}

    def tree(self) -> dict[str, str]:
        """{path: sha256} of all that was put out."""
        files = (path for path in self.out.rglob("*") if path.is_file())
        return {str(path.relative_to(self.out)): _sha256(path) for path in files}


def runs(scratch: Scratch, chosen: argparse.Namespace) -> tuple[dict[str, str], float]:
    """The four runs, in a table; the files of the first and how long its rendering took."""
    book = text.book(chosen.lines, chosen.chapters, chosen.seed)
    table = Table("run", "lines", "rendered", "failed", "wall s", "CPU s", "beside s", "other lines changed")
    kept: dict[str, str] = {}
    first: tuple[dict[str, str], float] | None = None
    seconds = 0.0
    for name, chapters in (
        ("cold", book),
        ("again", book),
        ("one line edited", text.edited(book)),
        ("moved", text.moved(book, chosen.seed)),
    ):
        scratch.write(chapters)
        report, now = scratch.run(), scratch.lines()
        changed = sum(digest != now[key] for key, digest in kept.items() if key in now)
        beside = report["wall"] - report["took"]
        figures = [f"{report['wall']:.1f}", f"{report['cpu']:.1f}", f"{beside:.1f}", f"{changed} of {len(kept)}"]
        table.add_row(name, *(f"{report[key]}" for key in ("lines", "rendered", "failed")), *figures)
        if first is None:
            first, seconds = (scratch.tree(), report["took"]), report["seconds"]
            show_finished(scratch, chosen)
        elif name == "again":
            table.caption = f"again: {'all files' if scratch.tree() == first[0] else 'NOT all files'} as before"
        kept |= now
    assert first is not None
    Console().print(f"{seconds / 60:.1f} minutes of speech", table)
    return first


def show_finished(scratch: Scratch, chosen: argparse.Namespace) -> None:
    """Loudness, chapters and subtitles of the finished book."""
    if chosen.loudness in TARGETS and "flac" in chosen.formats:
        level, target = check.loudness(scratch.out / "book.flac"), TARGETS[chosen.loudness].level
        print(f"loudness {level:.2f} LUFS by pyloudnorm, {level - target:+.2f} LU off {target}")
    if "m4b" in chosen.formats:
        who, found = check.chapters(scratch.out / "book.m4b")
        print(f"chapters by {who}: {found}")
    table = Table("ms off speech (energy)", "count", "median", "95 % within", "most", "within 100 ms")
    for name, errors in check.cue_errors(scratch.out / "book", scratch.store).items():
        if len(errors):
            away = np.abs(errors)
            figures = [f"{np.median(errors):+.0f}", f"{np.quantile(away, 0.95):.0f}", f"{away.max():.0f}"]
            table.add_row(name, f"{len(away)}", *figures, f"{100 * (away <= 100).mean():.1f} %")
    Console().print(table)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voice", default="demo_en")
    parser.add_argument("--root", type=Path, default=CHECKOUT, help="A project whose voice is built.")
    parser.add_argument("--lines", type=int, default=500, help="With the titles of chapters.")
    parser.add_argument("--chapters", type=int, default=5)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", dest="formats", action="append", help="Kind of file, repeatable; flac by default.")
    parser.add_argument("--loudness", default="none")
    parser.add_argument("--direct", action="store_true", help="Without Prefect.")
    chosen = parser.parse_args()
    chosen.formats = chosen.formats or ["flac"]
    with tempfile.TemporaryDirectory() as folder:
        project = chosen.root.resolve()
        whole, work = runs(Scratch(Path(folder) / "whole", project, chosen), chosen)
        if chosen.kills:
            from bench_book_kills import kills

            kills(Scratch(Path(folder) / "killed", project, chosen), whole, work, chosen)


if __name__ == "__main__":
    main()
