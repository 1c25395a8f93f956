"""Processes killed with -9 at random moments, and two at once: every line is said once, nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

CHILD = Path(__file__).with_name("inbox_child.py")
CHECKOUT = Path(__file__).resolve().parents[3]


def fill(root: Path, count: int, lines: int) -> tuple[Path, Path, Path]:
    folders = root / "inbox", root / "outbox", root / "store"
    for folder in folders:
        folder.mkdir(parents=True)
    for number in range(count):
        text = "".join(f"script {number} line {line}\n" for line in range(lines))
        (folders[0] / f"book {number}.txt").write_text(text)
    return folders


def child(folders: tuple[Path, Path, Path], seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), *map(str, folders), str(seconds)]
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def begun(folders: tuple[Path, Path, Path], seconds: float) -> subprocess.Popen[str]:
    """A child that has begun a script: a kill while the interpreter starts tests nothing."""
    log = folders[2] / "begun.log"
    log.touch()
    size, running = log.stat().st_size, child(folders, seconds)
    while running.poll() is None and log.stat().st_size == size:
        time.sleep(0.001)
    return running


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def said(store: Path) -> Counter[str]:
    return Counter((store / "said.log").read_text().splitlines())


def test_after_ten_kills_all_is_as_in_an_undisturbed_run(tmp_path: Path) -> None:
    whole = fill(tmp_path / "whole", 3, 20)
    child(whole, 0.0).communicate(timeout=60)
    folders = fill(tmp_path / "killed", 3, 20)
    chosen = random.Random(7)
    kills = 0
    while kills < 10:
        running = begun(folders, 0.02)
        time.sleep(chosen.uniform(0, 0.12))
        if running.poll() is not None:
            break
        running.send_signal(signal.SIGKILL)
        running.communicate()
        kills += 1
    child(folders, 0.0).communicate(timeout=60)
    assert kills >= 5
    assert tree(folders[1]) == tree(whole[1])
    assert [path for path in folders[0].rglob("*") if path.is_file()] == []
    assert max(said(folders[2]).values()) == 1 and len(tree(folders[2])) == 60 + 2  # lines, and two logs


def test_kills_at_any_moment_of_putting_away_lose_nothing(tmp_path: Path) -> None:
    """Lines take no time here, so that the kills fall between claims, renames and marks."""
    folders = fill(tmp_path, 60, 1)
    chosen = random.Random(3)
    for _ in range(15):
        running = begun(folders, 0.0)
        time.sleep(chosen.uniform(0, 0.01))
        running.send_signal(signal.SIGKILL)
        running.communicate()
    child(folders, 0.0).communicate(timeout=60)
    assert sorted(path.name for path in folders[1].iterdir() if path.name[0] != ".") == sorted(
        f"book {number}" for number in range(60)
    )
    for number in range(60):
        names = sorted(path.name for path in (folders[1] / f"book {number}").iterdir())
        assert names == [f"book {number}.txt", f"book {number}.wav"]
    assert [path for path in folders[0].rglob("*") if path.is_file()] == []
    assert max(said(folders[2]).values()) == 1


def test_two_at_once_never_take_the_same_script(tmp_path: Path) -> None:
    folders = fill(tmp_path, 40, 2)
    both = [child(folders, 0.002) for _ in range(2)]
    found = [running.communicate(timeout=60)[0].splitlines() for running in both]
    assert all(found), "one of them had all the work"
    begun = Counter((folders[2] / "begun.log").read_text().splitlines())
    assert len(begun) == 40 and set(begun.values()) == {1}
    assert set(said(folders[2]).values()) == {1}
    assert len(list(folders[1].iterdir())) == 40
