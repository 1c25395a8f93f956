"""prefect.yaml can be deployed: its entry points, parameters and limits are those of the flows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.schedules import CronSchedule
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import PREFECT_API_URL

CHECKOUT = Path(__file__).resolve().parents[3]
FILE: dict[str, Any] = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS = {entry["name"]: entry for entry in FILE["deployments"]}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_starts_a_flow_with_parameters_that_it_has(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    entry = DEPLOYMENTS[name]
    flow: Flow[..., Any] = load_flow_from_entrypoint(entry["entrypoint"])
    flow.validate_parameters(entry["parameters"])
    assert entry["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert entry["work_pool"] == {"name": "local"}
    for timing in entry["schedules"]:
        CronSchedule(**timing)


def test_narrations_share_the_limit_of_the_gpus() -> None:
    narrations = [entry for entry in DEPLOYMENTS.values() if "scheduling" in entry["entrypoint"]]
    assert len(narrations) == 2 and all(entry["parameters"]["limit"] == "gpu" for entry in narrations)
    assert "prefect gcl create gpu" in (CHECKOUT / "prefect.yaml").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_prefect_deploys_all_of_it(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "prefect.yaml", tmp_path)
    env = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "REPROVOICE_ROOT": str(tmp_path),
    }
    for arguments in (["work-pool", "create", "local", "--type", "process"], ["--no-prompt", "deploy", "--all"]):
        done = subprocess.run(
            [sys.executable, "-m", "prefect", *arguments],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    with get_client(sync_client=True) as client:
        found = {each.name: each for each in client.read_deployments() if each.work_pool_name == "local"}
    assert set(found) == set(DEPLOYMENTS)
    limits = {each.concurrency_options.collision_strategy for each in found.values() if each.concurrency_options}
    assert [str(getattr(limit, "value", limit)) for limit in limits] == ["ENQUEUE"]
    assert found["inbox"].schedules[0].schedule.timezone == "Europe/Berlin"
