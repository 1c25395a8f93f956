"""`reprovoice schedule serve` with each of its processes killed by -9 in turn: the script is narrated once, whole."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pipeline_fakes import load_fake

from pipeline.engine import SayOptions
from pipeline.narration import read_manifest, run_narration

CHECKOUT = Path(__file__).resolve().parents[3]
LINES = [f"Sentence number {number} of the book." for number in range(40)]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@dataclass
class Serving:
    """A project with an inbox, and `schedule serve` in a process of its own."""

    root: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log, self.store = self.root / "said.log", self.root / ".cache/items/narrate"
        (self.root / "inbox").mkdir()
        (self.root / "dvc.yaml").write_text("stages: {}\n")
        (self.root / "params.yaml").write_text("voices: {}\n")
        paths = os.pathsep.join([str(CHECKOUT / "tests/pipeline"), str(CHECKOUT)])
        more = {"FAKE_VOICE_LOG": str(self.log), "FAKE_VOICE_SECONDS": "0.7", "REPROVOICE_SLOTS": str(self.root)}
        self.env = {**os.environ, **more, "PYTHONPATH": paths, "PREFECT_HOME": str(self.root / ".prefect")}
        self.env.pop("PREFECT_API_URL", None)
        (self.root / "schedules.yaml").write_text(
            "box: {inbox: inbox, outbox: outbox, voice: ann, every: 10s, batch: 2, engine: 'pipeline_fakes:load_slow'}"
        )

    def start(self) -> None:
        with (self.root / f"serve{len(self.running)}.log").open("wb") as log:
            command = [sys.executable, "-m", "pipeline.cli", "schedule", "serve"]
            self.running.append(subprocess.Popen(command, cwd=self.root, env=self.env, stdout=log, stderr=log))
        self.until(lambda: "serving box" in self.told())

    def told(self) -> str:
        return (self.root / f"serve{len(self.running) - 1}.log").read_text()

    def until(self, found: Callable[[], bool], alive: bool = True) -> None:
        deadline = time.monotonic() + 180
        while not found():
            assert time.monotonic() < deadline, self.told()
            assert not alive or self.running[-1].poll() is None, self.told()
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that is not enough."""
        self.running[-1].send_signal(signal.SIGTERM)
        try:
            self.running[-1].wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.running[-1].kill()
            self.running[-1].wait()

    def server(self) -> int:
        return int(json.loads((self.root / ".prefect/server.json").read_text())["pid"])

    def engine(self) -> int:
        return int(Path(f"{self.log}.pid").read_text())

    def said(self) -> Counter[str]:
        return Counter(self.log.read_text().splitlines()) if self.log.exists() else Counter()

    def finished(self) -> dict[str, tuple[int, int]]:
        return {path.stem: (path.stat().st_mtime_ns, path.stat().st_ino) for path in self.store.glob("*.json")}

    def kill(self, pid: int) -> dict[str, tuple[int, int]]:
        """Kill with -9; the lines that were finished."""
        kept = self.finished()
        os.kill(pid, signal.SIGKILL)
        return kept


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    found = Serving(tmp_path)
    yield found
    for process in found.running:
        if process.poll() is None:
            process.kill()
    for ask in (found.engine, found.server):
        with contextlib.suppress(OSError, ValueError):
            os.kill(ask(), signal.SIGKILL)


@pytest.mark.slow
def test_engine_worker_and_server_may_die_in_the_middle_of_a_script(
    serving: Serving, tmp_path_factory: pytest.TempPathFactory
) -> None:
    serving.start()
    part = serving.root / "book.txt.part"
    part.write_text("\n".join(LINES) + "\n")
    part.rename(serving.root / "inbox/book.txt")
    kept: dict[str, tuple[int, int]] = {}

    serving.until(lambda: len(serving.said()) >= 5)
    kept |= serving.kill(serving.engine())  # the next start of the timetable goes on
    before = len(serving.said())
    serving.until(lambda: len(serving.said()) >= before + 4)

    orphan = serving.engine()
    kept |= serving.kill(serving.running[-1].pid)
    serving.running[-1].wait()
    serving.start()
    before = len(serving.said())
    serving.until(lambda: len(serving.said()) >= before + 4)
    assert serving.engine() == orphan  # it outlived the worker, and nobody else took the script

    kept |= serving.kill(serving.server())
    time.sleep(2.0)
    serving.stop()
    serving.start()
    delivered = serving.root / "outbox/book/book.txt"
    serving.until(delivered.exists)
    serving.until(lambda: not (serving.root / "outbox/book/.claim").exists())
    serving.stop()
    told = serving.told()
    assert serving.running[-1].returncode == 0 and "Warning" not in told and "Traceback" not in told, told

    said = serving.said()
    assert set(said) == set(LINES)
    assert sum(said.values()) <= len(LINES) + 2  # the lines at which engine and server were killed
    after = serving.finished()
    assert 8 < len(kept) < len(LINES)
    assert {key: after[key] for key in kept} == kept  # no finished line was rendered again
    assert [path.name for path in (serving.root / "outbox").iterdir()] == ["book"]
    assert [path for path in (serving.root / "inbox").rglob("*") if path.is_file()] == []

    whole = tmp_path_factory.mktemp("whole")
    (whole / "book.txt").write_bytes(delivered.read_bytes())
    run_narration(whole, whole / "book.txt", "ann", whole / "out", SayOptions(), load_fake)
    assert len(read_manifest(whole / "out")) == len(LINES)
    found = tree(serving.root / "outbox/book")
    assert found.pop("book.txt") == delivered.read_bytes()
    assert found == tree(whole / "out")


@pytest.mark.slow
def test_sigterm_in_the_middle_of_a_script_is_quiet_and_loses_nothing(serving: Serving) -> None:
    serving.start()
    part = serving.root / "book.txt.part"
    part.write_text("\n".join(LINES[:12]) + "\n")
    part.rename(serving.root / "inbox/book.txt")
    serving.until(lambda: len(serving.said()) >= 3)
    engine, server = serving.engine(), serving.server()
    serving.stop()
    told = serving.told()
    assert serving.running[-1].returncode == 0 and "Warning" not in told and "Traceback" not in told, told
    for pid in (engine, server):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    kept = serving.finished()
    serving.start()
    serving.until((serving.root / "outbox/book/book.txt").exists)
    serving.stop()
    assert {key: found for key, found in serving.finished().items() if key in kept} == kept
    assert set(serving.said()) == set(LINES[:12])
