"""A folder holds what the last run asked for: our own files of earlier ones go, and nobody else's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pipeline_fakes import load_fake

from pipeline.engine import SayOptions
from pipeline.narration import BookOptions, NarrationReport, run_narration

BOOK = "# One\n\nThe first sentence is here.\n\n# Two\n\nThe last words of all.\n"


def go(root: Path, *formats: str, text: str = BOOK, chapters: bool = False, strict: bool = False) -> NarrationReport:
    (root / "book.md").write_text(text)
    book = BookOptions(formats=formats, chapters=chapters, strict=strict)
    return run_narration(root, root / "book.md", "ann", root / "out", SayOptions(), load_fake, book=book)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name not in ("lines", "manifest.jsonl")}


CAPTIONS = {"book.srt", "book.vtt"}


def test_another_format_replaces_the_one_before(tmp_path: Path) -> None:
    go(tmp_path, "wav", "flac")
    assert names(tmp_path / "out") == {"book.wav", "book.wav.json", "book.flac", "book.flac.json", *CAPTIONS}
    go(tmp_path, "mp3", "flac")
    assert names(tmp_path / "out") == {"book.mp3", "book.mp3.json", "book.flac", "book.flac.json", *CAPTIONS}


def test_what_is_not_ours_or_was_changed_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    go(tmp_path, "wav", "mp3", "opus")
    (out / "book.mp3").write_bytes((out / "book.mp3").read_bytes() + b"my tag")
    (out / "book.opus.json").write_text(json.dumps({"mine": True}))
    (out / "book.m4b").write_bytes(b"mine, no sidecar")
    (out / "other.wav").write_bytes((out / "book.wav").read_bytes())
    (out / "other.wav.json").write_bytes((out / "book.wav.json").read_bytes())
    (tmp_path / "elsewhere.wav").write_bytes((out / "book.wav").read_bytes())
    (out / "book.wav").unlink()
    (out / "book.wav").symlink_to(tmp_path / "elsewhere.wav")
    before = names(out)
    go(tmp_path, "flac")
    assert names(out) == before | {"book.flac", "book.flac.json"}


def test_a_sidecar_that_a_kill_left_alone_goes_too(tmp_path: Path) -> None:
    go(tmp_path, "wav")
    (tmp_path / "out/book.wav").unlink()
    go(tmp_path, "flac")
    assert names(tmp_path / "out") == {"book.flac", "book.flac.json", *CAPTIONS}


def test_chapters_that_are_no_longer_asked_for_go_and_foreign_ones_stay(tmp_path: Path) -> None:
    folder = tmp_path / "out/chapters"
    go(tmp_path, "wav", "flac", chapters=True)
    assert len(names(folder)) == 2 * (2 * 2 + 2)
    (folder / "003-Mine.wav").write_bytes(b"mine")
    (folder / "003-Mine.srt").write_text("mine")
    go(tmp_path, "flac", text=BOOK.replace("Two", "Three"), chapters=True)
    sounds = {f"{name}{more}" for name in ("001-One", "002-Three") for more in (".flac", ".flac.json", ".srt", ".vtt")}
    assert names(folder) == sounds | {"003-Mine.wav", "003-Mine.srt"}
    go(tmp_path, "flac")
    assert names(folder) == {"003-Mine.wav", "003-Mine.srt"}
    (folder / "003-Mine.wav").unlink()
    (folder / "003-Mine.srt").unlink()
    go(tmp_path, "flac", chapters=True)
    go(tmp_path, "flac")
    assert not folder.exists()


KILLED = """
import sys, time
from pathlib import Path
from pipeline.engine import SayOptions
from pipeline.narration import BookOptions, run_narration
from pipeline_fakes import load_fake
from voice.mastering import encode

real, name = encode._encode, sys.argv[2]

def stuck(file, blocks, job):
    real(file, blocks, job)
    if name in file.name:
        time.sleep(600)

encode._encode = stuck
root = Path(sys.argv[1])
book = BookOptions(formats=("flac", "m4b"), chapters=True)
run_narration(root, root / "book.md", "ann", root / "out", SayOptions(), load_fake, book=book)
"""


@pytest.mark.parametrize("at", [".book.m4b.", ".002-Two.flac."])
def test_nothing_is_left_of_a_file_that_a_killed_run_was_writing(tmp_path: Path, at: str) -> None:
    (tmp_path / "book.md").write_text(BOOK)
    paths = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]
    running = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), at], env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").rglob(f"{at}*")):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    foreign = [tmp_path / "out" / name for name in (".book.flac", ".other.flac.abcdefgh", ".manifest.jsonl.short")]
    for path in foreign:
        path.write_text("mine")
    go(tmp_path, "flac", "m4b", chapters=True)
    assert set((tmp_path / "out").rglob(".*")) == set(foreign)


@pytest.mark.parametrize("sidecar", ["", "[]", "no json", '{"label": 1}', "\x00"])
def test_a_damaged_sidecar_proves_nothing(tmp_path: Path, sidecar: str) -> None:
    go(tmp_path, "wav")
    (tmp_path / "out/book.wav.json").write_text(sidecar)
    go(tmp_path, "flac")
    assert (tmp_path / "out/book.wav").exists() and (tmp_path / "out/book.wav.json").exists()


def test_no_book_no_cleaning(tmp_path: Path) -> None:
    go(tmp_path, "wav")
    report = go(tmp_path, "flac", text=BOOK + "\nThis is BROKEN.\n", strict=True)
    assert not report.assembled and (tmp_path / "out/book.wav").exists()
