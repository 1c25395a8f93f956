"""The flows that schedules start, on a Prefect server of the tests."""

from __future__ import annotations

import errno
import fcntl
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.flowrun import report_of
from pipeline.ledger.find import find
from pipeline.scheduling import flows, postpone, recover
from pipeline.scheduling.flows import Visit, narrate_inbox, narrate_script
from pipeline.scheduling.slot import machine_slot, slot_file
from voice.errors import UserError

pytestmark = pytest.mark.usefixtures("prefect_server")
FAKE = {"voice": "ann", "engine": "pipeline_fakes:load_fake"}
BOX = {"inbox": "scripts/inbox", "outbox": "scripts/outbox", **FAKE}


@pytest.fixture(autouse=True)
def slots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPROVOICE_SLOTS", str(tmp_path / "slots"))


def drop(root: Path, name: str, text: str) -> None:
    (root / "scripts/inbox").mkdir(parents=True, exist_ok=True)
    (root / "scripts/inbox" / name).write_text(text)


def test_an_inbox_is_one_run_with_a_run_for_each_script(
    built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_VOICE_LOG", str(tmp_path / "said.log"))
    for number in range(3):
        drop(built, f"{number}.txt", f"Line of {number}.\n")
    drop(built, "broken.txt", "All is well.\nThis is BROKEN.\n")
    drop(built, "empty.txt", "")
    visit = report_of(narrate_inbox, BOX, Visit)
    outcomes = {each.script: each.outcome for each in visit.files}
    assert outcomes == {f"{number}.txt": "narrated" for number in range(3)} | {
        "broken.txt": "failed", "empty.txt": "failed",
    }  # fmt: skip
    assert not visit.ok
    assert sorted(path.name for path in (built / "scripts/outbox/1").glob("1.*"))[0] == "1.flac"
    assert (built / "scripts/outbox/1/1.txt").read_text() == "Line of 1.\n"
    assert "BROKEN" in (built / "scripts/inbox/failed/broken.txt.error.txt").read_text()
    said = (tmp_path / "said.log").read_text().splitlines()
    assert sorted(said) == ["All is well.", "Line of 0.", "Line of 1.", "Line of 2."]
    for number in range(3):
        assert find(built, str(built / f"scripts/outbox/{number}/{number}.flac"))[0].kind == "narration"
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs()
    given = {**BOX, "options": None, "timezone": "UTC", "quiet": None, "limit": None}
    parent = next(run for run in runs if run.parameters == given)
    children = [run for run in runs if run.parent_task_run_id and run.name.startswith("narrate ")]
    assert parent.state_name == "Failed" and len(children) >= 5
    assert report_of(narrate_inbox, BOX, Visit).files == []


def test_a_script_stays_where_it_is(built: Path) -> None:
    (built / "book.txt").write_text("One line.\n")
    parameters = {"script": "book.txt", "out": "out", **FAKE}
    [done] = report_of(narrate_script, parameters, Visit).files
    assert (done.outcome, done.report["rendered"]) == ("narrated", 1)
    assert (built / "book.txt").exists() and (built / "out/book.flac").exists()
    (built / "book.txt").write_text("")
    [done] = report_of(narrate_script, parameters, Visit).files
    assert done.outcome == "failed" and "\n" not in done.note


def test_a_full_disk_or_a_wrong_voice_takes_no_script(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(built, "a.txt", "One line.\n")
    with pytest.raises(UserError, match="params.yaml"):  # where voices are looked up; this project has none to speak
        report_of(narrate_inbox, {**BOX, "voice": "nobody", "engine": "pipeline.voices:load_voice"}, Visit)

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.scheduling.inbox.take", full)
        with pytest.raises(UserError, match="scripts/inbox: No space left on device"):
            report_of(narrate_inbox, BOX, Visit)
    assert (built / "scripts/inbox/a.txt").exists()


def test_run_now_says_what_it_did(built: Path) -> None:
    drop(built, "a.txt", "One line.\n")
    run = CliRunner().invoke
    add = ["schedule", "add", "box", "--inbox", "scripts/inbox", "--outbox", "scripts/outbox", "--voice", "ann"]
    times = ["--every", "60s", "--quiet", "00:00-23:59", "--engine", FAKE["engine"]]
    added = run(app, [*add, *times])
    assert added.exit_code == 0, added.output
    ran = run(app, ["schedule", "run-now", "box", "--json"])  # quiet hours do not hold up a person
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout[ran.stdout.index("{") :])
    assert [(each["script"], each["outcome"]) for each in found["files"]] == [("a.txt", "narrated")]
    assert "nothing to do" in run(app, ["schedule", "run-now", "box"]).stdout


def test_a_second_start_waits_for_the_slot(built: Path) -> None:
    (built / "book.txt").write_text("One line.\n")
    slot_file().parent.mkdir(parents=True, exist_ok=True)
    freed: list[float] = []
    with slot_file().open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        def free() -> None:
            time.sleep(3.0)
            freed.append(time.monotonic())
            fcntl.flock(held, fcntl.LOCK_UN)

        other = threading.Thread(target=free)
        other.start()
        report_of(narrate_script, {"script": "book.txt", "out": "out", **FAKE}, Visit)
        ended = time.monotonic()
        other.join()
    assert ended > freed[0]


def test_the_slot_is_held_once_and_says_when_it_waits() -> None:
    order: list[str] = []

    def second() -> None:
        with machine_slot(lambda: order.append("waits")):
            order.append("second")

    with machine_slot():
        other = threading.Thread(target=second)
        other.start()
        time.sleep(0.7)
        order.append("first ends")
    other.join()
    assert order == ["waits", "first ends", "second"]


def deployed(name: str, parameters: dict[str, Any]) -> Any:
    """The id of a deployment of the script flow."""
    return narrate_script.to_deployment(name=name, parameters=parameters).apply()


def as_run_of(deployment: Any, monkeypatch: pytest.MonkeyPatch, due: datetime, tags: list[str] | None = None) -> None:
    """Make the flows believe that they were started by this deployment."""

    class Of:
        def __init__(self, **values: Any) -> None:
            self.__dict__.update(values)

    told = Of(deployment=Of(id=str(deployment)), flow_run=Of(scheduled_start_time=due, tags=tags or []))
    monkeypatch.setattr(postpone, "runtime", told)
    monkeypatch.setattr(flows, "runtime", told)


def all_day_but(hours: int) -> str:
    """Quiet hours around now that end in so many hours."""
    now = datetime.now(UTC)
    return f"{now - timedelta(hours=1):%H}:00-{now + timedelta(hours=hours):%H}:00"


def test_what_is_due_in_quiet_hours_starts_once_at_their_end(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (built / "book.txt").write_text("One line.\n")
    parameters = {"script": "book.txt", "out": "out", "quiet": all_day_but(3), **FAKE}
    deployment = deployed("quiet", parameters)
    for minutes in (0, 1, 2):
        as_run_of(deployment, monkeypatch, datetime.now(UTC) - timedelta(minutes=minutes))
        visit = report_of(narrate_script, parameters, Visit)
        assert visit.files == [] and "quiet hours: starts at" in visit.note
    assert not (built / "out").exists()
    end = postpone.quiet_until(parameters["quiet"], "UTC", datetime.now(UTC))
    with get_client(sync_client=True) as client:
        runs = [run for run in client.read_flow_runs() if run.deployment_id == deployment]
    assert [run.expected_start_time for run in runs] == [end]
    as_run_of(deployment, monkeypatch, end, [postpone.TAG])  # its time has come, though the clock was set back
    assert report_of(narrate_script, parameters, Visit).files[0].outcome == "narrated"


def test_a_start_of_the_timetable_at_the_end_is_enough(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (built / "book.txt").write_text("One line.\n")
    parameters = {"script": "book.txt", "out": "out", **FAKE}
    deployment = deployed("doubled", parameters)
    due = datetime.now(UTC)
    as_run_of(deployment, monkeypatch, due, [postpone.TAG])
    assert not postpone.is_doubled()
    with get_client(sync_client=True) as client:
        client.create_flow_run_from_deployment(deployment, state=postpone.Scheduled(scheduled_time=due))
    assert postpone.is_doubled()
    assert "the timetable has a start" in report_of(narrate_script, parameters, Visit).note


def test_a_run_whose_process_died_starts_again_once(built: Path) -> None:
    from prefect.states import Running

    deployment = deployed("dead", {"script": "book.txt", "out": "out", **FAKE})
    with get_client(sync_client=True) as client:
        dead = client.create_flow_run_from_deployment(deployment)
        client.set_flow_run_state(dead.id, Running(), force=True)
        assert "dead" in recover.start_again()
        assert recover.start_again() == []
        runs = [run for run in client.read_flow_runs() if run.deployment_id == deployment]
        assert sorted(str(run.state_name) for run in runs) == ["Crashed", "Scheduled"]
        recover.forget_removed(set())
        assert client.read_deployments() == [] or all(each.name != "dead" for each in client.read_deployments())
