"""An inbox served by cron every minute: three scripts dropped at different moments, each to be narrated once.

python docs/bench_schedule.py [--minutes 10] [--engine module:function]

A project of its own in a temporary folder, a real Prefect server, real processes; only the voice is made up: a tone,
half a second of waiting for each line. The first script takes longer than a minute, so that starts overlap.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
LINES = {"first": 110, "second": 6, "third": 6}
DROPPED = {"first": 0.02, "second": 0.35, "third": 0.6}  # parts of the whole time
LINE_SECONDS = 0.5


class Tone:
    """A voice that waits, writes into a log when it spoke, and hums."""

    sample_rate = 16000
    info = {"weights": "tone"}

    def say(self, text: str, *, seed: int | None = None, **options: Any) -> SimpleNamespace:
        begin = time.time()
        time.sleep(LINE_SECONDS)
        row = {"text": text, "begin": begin, "end": time.time(), "process": os.getpid()}
        with Path(os.environ["BENCH_LOG"]).open("a") as log:
            log.write(json.dumps(row) + "\n")
        audio = 0.1 * np.sin(np.arange(8000) / 10).astype(np.float32)
        return SimpleNamespace(
            audio=audio, sample_rate=16000, seconds=0.5, seed=seed or 0, stop="eos", phones=[], warnings=[]
        )


def load_tone(root: Path, name: str) -> Tone:
    """The made-up voice, whatever its name."""
    return Tone()


def serve(root: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    """`reprovoice schedule serve`."""
    with (root / "serve.log").open("w") as output:
        command = [sys.executable, "-m", "pipeline.cli", "schedule", "serve"]
        return subprocess.Popen(command, cwd=root, env=env, stdout=output, stderr=output)


def wait_until_ready(root: Path, child: subprocess.Popen[bytes]) -> None:
    """Until the schedules are served. Ends the program when they are not."""
    while "serving box" not in (log := (root / "serve.log").read_text()):
        if child.poll() is not None:
            raise SystemExit(log)
        time.sleep(0.5)


def starts(root: Path) -> list[Any]:
    """All runs of the inbox that have begun, as the Prefect server tells them."""
    os.environ["PREFECT_API_URL"] = json.loads((root / ".prefect/server.json").read_text())["url"]
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowFilter

    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_filter=FlowFilter.model_validate({"name": {"any_": ["inbox"]}}))
    return sorted((run for run in runs if run.start_time), key=lambda run: run.expected_start_time)


def clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}"


def print_tables(root: Path, said: list[dict[str, Any]], runs: list[Any]) -> None:
    """What became of the scripts, when each start was due and when it began, and the verdict."""
    print("| script | lines | times narrated | start | end | delivered |\n|---|---|---|---|---|---|")
    for name, lines in LINES.items():
        own = [row for row in said if row["text"].startswith(name)]
        delivered = (root / "outbox" / name / f"{name}.txt").exists()
        first, last = (clock(own[0]["begin"]), clock(own[-1]["end"])) if own else ("-", "-")
        print(f"| {name} | {lines} | {len(own) / lines:g} | {first} | {last} | {'yes' if delivered else 'NO'} |")
    print("\n| start due | began (UTC) | waited s | ended | state |\n|---|---|---|---|---|")
    for run in runs:
        due, began = run.expected_start_time, run.start_time
        ended = f"{run.end_time:%H:%M:%S}" if run.end_time else "-"
        waited = (began - due).total_seconds()
        print(f"| {due:%H:%M:%S} | {began:%H:%M:%S} | {waited:.0f} | {ended} | {run.state_name}: {run.state.message} |")
    said.sort(key=lambda row: row["begin"])
    doubled = sum(later["begin"] < sooner["end"] - 0.01 for sooner, later in zip(said, said[1:], strict=False))
    late = sum(run.start_time - run.expected_start_time > timedelta(seconds=30) for run in runs)
    print(f"\nlines said at the same time: {doubled}; starts that waited more than 30 s: {late}")


def main() -> None:
    """Serve, drop, wait, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--engine", default="bench_schedule:load_tone")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "dvc.yaml").write_text("stages: {}\n")
        (root / "params.yaml").write_text("voices: {}\n")
        paths = os.pathsep.join([str(HERE), str(HERE.parent)])
        env = {**os.environ, "PYTHONPATH": paths, "BENCH_LOG": str(root / "said.jsonl"), "REPROVOICE_SLOTS": folder}
        env["PREFECT_HOME"] = str(root / ".prefect")
        env.pop("PREFECT_API_URL", None)
        add = "schedule add box --inbox inbox --outbox outbox --voice tone --engine".split()
        command = [sys.executable, "-m", "pipeline.cli", *add, chosen.engine, "--cron", "* * * * *"]
        subprocess.run(command, cwd=root, env=env, check=True)
        serving = serve(root, env)
        try:
            wait_until_ready(root, serving)
            begin, whole = time.monotonic(), chosen.minutes * 60
            for name, part in DROPPED.items():
                time.sleep(max(0.0, begin + part * whole - time.monotonic()))
                text = "".join(f"{name} script, line {number}.\n" for number in range(LINES[name]))
                (root / "inbox" / f"{name}.txt").write_text(text)
                print(f"{datetime.now(UTC):%H:%M:%S} {name}.txt dropped", flush=True)
            time.sleep(max(0.0, begin + whole - time.monotonic()))
            said = [json.loads(line) for line in (root / "said.jsonl").read_text().splitlines()]
            print_tables(root, said, starts(root))
        finally:
            serving.send_signal(signal.SIGTERM)
            serving.wait(timeout=60)
            print("\n" + (root / "serve.log").read_text())


if __name__ == "__main__":
    main()
