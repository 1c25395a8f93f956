"""Schedules are kept in a file that can be reviewed, and really fire."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.schedule import add_schedule, make_schedule, parse_every, read_schedules, remove_schedule
from voice.errors import UserError

GOOD = {"script": "book.txt", "voice": "ann", "out": "out"}


def test_schedules_are_stored_listed_and_removed(tmp_path: Path) -> None:
    add_schedule(tmp_path, "nightly", make_schedule("nightly", {**GOOD, "cron": "0 3 * * *"}))
    add_schedule(tmp_path, "often", make_schedule("often", {**GOOD, "every": "5m"}))
    assert set(read_schedules(tmp_path)) == {"nightly", "often"}
    assert read_schedules(tmp_path)["nightly"].cron == "0 3 * * *"
    remove_schedule(tmp_path, "nightly")
    assert set(read_schedules(tmp_path)) == {"often"}


def test_a_name_is_given_once(tmp_path: Path) -> None:
    schedule = make_schedule("a", {**GOOD, "every": "1h"})
    add_schedule(tmp_path, "a", schedule)
    with pytest.raises(UserError, match="a: there is a schedule of that name"):
        add_schedule(tmp_path, "a", schedule)


@pytest.mark.parametrize(
    ("name", "entry", "said"),
    [
        ("a", {}, "exactly one of cron and every"),
        ("a", {"cron": "* * * * *", "every": "60s"}, "exactly one of cron and every"),
        ("a", {"every": "5 parsecs"}, "a.every: '5 parsecs' is no time span"),
        ("a", {"every": "1s"}, "shorter than 10s"),
        ("a", {"cron": "* * *"}, "a.cron: .* is not five fields"),
        ("a", {"every": "60s", "voise": "x"}, "a.voise: Extra inputs"),
        ("../a", {"every": "60s"}, "is no schedule name"),
    ],
)
def test_a_bad_schedule_names_the_key_and_the_rule(name: str, entry: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        make_schedule(name, {**GOOD, **entry})


def test_prefect_refuses_an_impossible_cron(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a cron text"):
        add_schedule(tmp_path, "a", make_schedule("a", {**GOOD, "cron": "99 3 * * *"}))


def test_time_spans() -> None:
    assert parse_every("60s") == timedelta(minutes=1)
    assert parse_every("2h") == timedelta(hours=2)


@pytest.mark.slow
def test_a_schedule_of_one_minute_fires_twice_in_three_minutes(built: Path) -> None:
    (built / "book.txt").write_text("One line.\nTwo lines.\n")
    entry = {**GOOD, "every": "60s", "engine": "pipeline_fakes:load_fake"}
    add_schedule(built, "often", make_schedule("often", entry))
    here = Path(__file__).resolve()
    paths = os.pathsep.join([str(here.parent), str(here.parents[2])])
    env = {**os.environ, "PYTHONPATH": paths, "PREFECT_HOME": str(built / ".prefect"), "REPROVOICE_SLOTS": str(built)}
    env.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "pipeline.cli", "schedule", "serve"]
    with (built / "serve.log").open("w") as log:
        serving = subprocess.Popen(command, cwd=built, env=env, stdout=log, stderr=log)
    try:
        manifest, fired = built / "out/manifest.jsonl", set[int]()
        deadline = time.monotonic() + 60  # for the server to start
        while "serving often" not in (built / "serve.log").read_text():
            assert serving.poll() is None, (built / "serve.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.5)
        deadline = time.monotonic() + 180
        while len(fired) < 2 and time.monotonic() < deadline:
            if manifest.exists():
                fired.add(manifest.stat().st_mtime_ns)
            time.sleep(0.5)
        assert len(fired) >= 2, (built / "serve.log").read_text()
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.wait(timeout=60)
    told = (built / "serve.log").read_text()
    assert serving.returncode == 0 and "Warning" not in told and "Traceback" not in told, told
    assert not (built / ".prefect/server.json").exists()
