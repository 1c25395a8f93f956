"""Memory and time of a narration by the number of its lines, with a simulated engine (noise, no network).

python docs/bench_narration.py [--lines 100 1000 10000] [--format flac] [--loudness none]

Each size runs in a process of its own, twice: cold, where every line is rendered, and again with one line edited. The
engine gives 0.5 s of noise at 24 kHz a line, so figures are those of the bookkeeping: keys, line store, joins,
loudness, encoding, subtitles, manifest. Peak RSS is that of the whole process (getrusage), with its
libraries in it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.engine import SayOptions
from pipeline.narration import BookOptions, run_narration
from voice.synthesis import Speech

RATE, SECONDS = 24000, 0.5


class Simulated:
    """An engine that gives noise from the seed."""

    sample_rate = RATE
    info: dict[str, Any] = {"weights": "simulated"}

    def say(self, text: str, *, seed: int | None = None, **options: Any) -> Speech:
        """A Speech of SECONDS."""
        noise = np.random.default_rng(seed).normal(0, 0.05, round(SECONDS * RATE)).astype(np.float32)
        return Speech(noise, RATE, SECONDS, seed or 0, "eos", [], [])


def script(path: Path, lines: int, edited: int | None = None) -> None:
    """Chapters of 100 lines."""
    parts = []
    for number in range(lines):
        parts += [f"# Chapter {number // 100 + 1}\n"] if number % 100 == 0 else []
        word = "edited" if number == edited else "plain"
        parts.append(f"This is the {word} line of number {number} in the book.\n")
    path.write_text("\n".join(parts), encoding="utf-8")


def one(root: Path, form: str, loudness: str) -> dict[str, float]:
    """One narration in this process."""
    began = time.monotonic()
    book = BookOptions(formats=(form,), loudness=loudness)
    report = run_narration(
        root, root / "book.md", "simulated", root / "out", SayOptions(), lambda _root, _name: Simulated(), book=book
    )
    assert report.ok, report.errors[:3]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"lines": report.lines, "rendered": report.rendered, "seconds": time.monotonic() - began, "rss": peak}


def measured(root: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """`one` in a process of its own."""
    command = [sys.executable, __file__, "--one", str(root), "--format", arguments.format]
    done = subprocess.run([*command, "--loudness", arguments.loudness], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--format", default="flac")
    parser.add_argument("--loudness", default="none")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.one, arguments.format, arguments.loudness)))
        return
    table = Table("lines", "run", "rendered", "seconds", "peak RSS MiB", "against the first")
    first: dict[str, float] = {}
    for lines in arguments.lines:
        with tempfile.TemporaryDirectory() as folder:
            for run, edited in (("cold", None), ("one edited", lines // 2)):
                script(Path(folder) / "book.md", lines, edited)
                found = measured(Path(folder), arguments)
                share = found["rss"] / first.setdefault(run, found["rss"])
                figures = [f"{found['rendered']}", f"{found['seconds']:.1f}", f"{found['rss']:.0f}", f"{share:.2f}"]
                table.add_row(f"{found['lines']}", run, *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
