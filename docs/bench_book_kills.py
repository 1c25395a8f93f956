"""A book whose narration is killed again and again: for `bench_book.py`."""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import bench_book_text as text
import psutil
from rich.console import Console
from rich.table import Table


def kills(scratch: Any, whole: dict[str, str], work: float, chosen: argparse.Namespace) -> None:
    """Narrate with kills; say where they fell, what was rendered twice and whether the files are the same."""
    book = text.book(chosen.lines, chosen.chapters, chosen.seed)
    scratch.write(book)
    lines = {*(title for title, _ in book), *(line for _, lines in book for line in lines)}
    lot = random.Random(chosen.seed)
    moments = sorted(lot.uniform(0, work) for _ in range(chosen.kills))
    table = Table("kill", "after s", "processes", "finished before", "finished by this run", "again")
    known: dict[str, tuple[int, int]] = {}
    again = 0
    names = [*(f"{number}" for number in range(1, len(moments) + 1)), "in assembly"]
    for name, last, moment in zip(names, [0.0, *moments], [*moments, None], strict=True):
        launched, began, before = time.time(), time.monotonic(), len(known)
        running = scratch.start()
        wait(running, lambda since=launched: scratch.begun() > since)
        begun = time.monotonic()
        if moment is not None:
            wait(running, lambda until=begun + moment - last: time.monotonic() >= until)
        else:
            wait(running, lambda: len(scratch.finished()) == len(lines))
            time.sleep(lot.uniform(0, 1))
        if running.poll() is not None:
            scratch.ended(running)
            print(f"the book was finished before the kill {name}")
            break
        died = kill_tree(running)
        now = scratch.finished()
        twice = sum(now.get(key) != facts for key, facts in known.items())
        again += twice
        figures = [f"{time.monotonic() - began:.1f}", f"{died}", f"{before}", f"{len(now) - before}", f"{twice}"]
        table.add_row(name, *figures)
        known = now
    report = scratch.run()
    again += sum(scratch.finished().get(key) != facts for key, facts in known.items())
    tree = scratch.tree()
    wrong = sorted(name for name in {*tree, *whole} if tree.get(name) != whole.get(name))
    Console().print(table)
    print(f"last run: {report['rendered']} rendered, {report['cached']} cached, {report['wall']:.1f} s")
    print(f"finished lines rendered again: {again}; files: {len(tree)}, not as undisturbed: {wrong or 'none'}")


def wait(running: subprocess.Popen[bytes], until: Callable[[], bool]) -> None:
    """Until that is so, or the process has ended."""
    while running.poll() is None and not until():
        time.sleep(0.02)


def kill_tree(running: subprocess.Popen[bytes]) -> int:
    """Kill a process and all below it with -9; how many there were."""
    parent = psutil.Process(running.pid)
    parent.send_signal(signal.SIGSTOP)  # so that it starts no other meanwhile
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGKILL)
    running.wait()
    psutil.wait_procs(family[1:], timeout=30)
    return len(family)
