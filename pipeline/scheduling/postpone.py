"""A run that is due in quiet hours: one run at their end takes its place, made on the Prefect server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.states import Scheduled

from pipeline.scheduling.quiet import parse_quiet

TAG = "after quiet hours"


def moment_of(now: datetime, due: datetime | None) -> datetime:
    """When this run counts as started: a run is never earlier than it was due, even if the clock was set back.

    Without that, a run made for the end of the quiet hours could find itself in them and wait for itself.
    """
    return now if due is None else max(now, due.astimezone(UTC))


def quiet_until(quiet: str | None, timezone: str, now: datetime, due: datetime | None = None) -> datetime | None:
    """The end of the quiet hours that a run at `now`, due at `due`, falls into; None when it may start."""
    if quiet is None:
        return None
    moment = moment_of(now, due)
    end = parse_quiet(quiet, timezone).over(moment)
    return None if end == moment else end


def quiet_now(quiet: str | None, timezone: str) -> datetime | None:
    """`quiet_until` for the run that asks; one that a person started is never held up."""
    if quiet is None or runtime.deployment.id is None:
        return None
    return quiet_until(quiet, timezone, datetime.now(UTC), runtime.flow_run.scheduled_start_time)


def postpone(end: datetime) -> str:
    """Have the deployment of this run start at `end`, once however many runs ask. Returns a sentence about it."""
    deployment = runtime.deployment.id
    with get_client(sync_client=True) as client:
        client.create_flow_run_from_deployment(
            deployment,
            state=Scheduled(scheduled_time=end),
            idempotency_key=f"{deployment} quiet until {end.isoformat()}",
            tags=[TAG],
        )
    return f"quiet hours: starts at {end:%Y-%m-%d %H:%M} UTC"


def is_doubled() -> bool:
    """True for a run made by `postpone` when the timetable has one for the same moment: one of them is enough."""
    if TAG not in runtime.flow_run.tags:
        return False
    due = runtime.flow_run.scheduled_start_time
    second = timedelta(seconds=1)
    chosen = FlowRunFilter.model_validate(
        {
            "deployment_id": {"any_": [runtime.deployment.id]},
            "expected_start_time": {"after_": due - second, "before_": due + second},
        }
    )
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=chosen)
    return any(TAG not in run.tags and not (run.state and run.state.is_crashed()) for run in runs)
