"""A book on a disk that is really too small: one line, nothing finished is lost, and it goes on when there is space."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pipeline_fakes import Beep, FakeVoice

from pipeline.engine import SayOptions
from pipeline.narration import BookOptions, NarrationReport, read_manifest, run_narration
from voice.errors import UserError

LINES = [f"Sentence number {number} of the book." for number in range(30)]


class Hiss(FakeVoice):
    """A second of noise a line, which no format makes small."""

    def say(self, text: str, *, seed: int | None = None, **options: object) -> Beep:
        self.said.append(text)
        noise = np.random.default_rng(len(text) + (seed or 0)).normal(0, 0.1, self.sample_rate).astype(np.float32)
        return Beep(noise, self.sample_rate, 1.0, seed or 0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own in memory, 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if done.returncode != 0 or not os.path.ismount(folder):
        pytest.skip("file systems may not be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def go(root: Path, voice: Hiss) -> NarrationReport:
    (root / "book.txt").write_text("\n".join(LINES) + "\n")
    book = BookOptions(formats=("wav", "m4b"))
    out = root / "out"
    return run_narration(root, root / "book.txt", "ann", out, SayOptions(), lambda *_: voice, book=book)


def finished(root: Path) -> dict[str, tuple[int, int]]:
    store = root / ".cache/items/narrate"
    return {path.stem: (path.stat().st_mtime_ns, path.stat().st_ino) for path in store.glob("*.json")}


def tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_disk_that_fills_again_and_again_costs_no_finished_line(disk: Path, tmp_path: Path) -> None:
    voice, known, stopped = Hiss(), dict[str, tuple[int, int]](), list[str]()
    for size in ("400k", "1000k", "2000k", "3000k", "4200k", "5000k"):
        resize(disk, size)
        with pytest.raises(UserError, match=r"no space left \(finished lines are kept; mend it and run again\)"):
            go(disk, voice)
        now = finished(disk)
        assert {key: now[key] for key in known} == known
        assert not [path for path in disk.rglob(".*") if path.is_file()]  # nothing half-written
        assert not (disk / "out/manifest.jsonl").exists()
        stopped.append("lines" if len(now) < len(LINES) else "book")
        known = now
    assert stopped[0] == "lines" and stopped[-1] == "book", stopped
    resize(disk, "16m")
    report = go(disk, voice)
    assert (report.rendered, report.cached, report.failed) == (0, len(LINES), 0)
    assert finished(disk) == known and len(read_manifest(disk / "out")) == len(LINES)
    assert len(voice.said) <= len(LINES) + len(stopped)  # but for the lines that found no place

    whole = tmp_path / "whole"
    whole.mkdir()
    go(whole, Hiss())
    assert tree(disk / "out") == tree(whole / "out")
