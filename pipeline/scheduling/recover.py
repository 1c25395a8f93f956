"""What a killed server or machine left on the Prefect server of this project: runs without a process, old schedules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.states import Crashed

FLOWS = ("scheduled narration", "inbox")


def start_again() -> list[str]:
    """Start anew each run that a killed process left running or about to run; return the schedules' names.

    To be called while nobody serves. A narration whose process outlived its server goes on: the new run waits for
    the machine's slot and then finds all lines rendered. Doing this twice starts a run once.
    """
    again: list[str] = []
    with get_client(sync_client=True) as client:
        names = {deployment.id: deployment.name for deployment in _deployments(client)}
        chosen = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PENDING", "RUNNING"]}}})
        for run in client.read_flow_runs(flow_run_filter=chosen):
            if run.deployment_id is None or run.deployment_id not in names:  # another's, or a run within a run
                continue
            client.create_flow_run_from_deployment(run.deployment_id, idempotency_key=f"again {run.id}")
            client.set_flow_run_state(run.id, Crashed(message="its process was killed"), force=True)
            again.append(names[run.deployment_id])
    return again


def forget_removed(kept: set[str]) -> None:
    """Delete what the server still knows of schedules that are no longer in schedules.yaml."""
    with get_client(sync_client=True) as client:
        for deployment in list(_deployments(client)):
            if deployment.name not in kept:
                client.delete_deployment(deployment.id)


def _deployments(client: Any) -> Iterator[Any]:
    """The deployments of the flows that schedules start."""
    yield from client.read_deployments(flow_filter=FlowFilter.model_validate({"name": {"any_": list(FLOWS)}}))
