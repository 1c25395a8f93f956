"""`reprovoice schedule serve`: one process that starts every schedule at its times, until it is interrupted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipeline.schedule import FILE, Schedule, check_timing, read_schedules
from pipeline.server import is_own_server, local_server
from voice.errors import UserError


def serve_schedules(root: Path) -> None:
    """Run every schedule until interrupted, one narration at a time. Raises UserError when there is none."""
    schedules = read_schedules(root)
    if not schedules:
        raise UserError(f"{root / FILE}: no schedule to serve", "`reprovoice schedule add` one first")
    # Runs are processes of their own: they must find this package and start in the project.
    here = str(Path(__file__).resolve().parents[2])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))
    os.chdir(root)
    with local_server(root) as url:
        for name, entry in schedules.items():  # not before: it imports Prefect, which reads then where its server is
            check_timing(f"{root / FILE}: {name}", entry)
        from pipeline.scheduling.recover import forget_removed, start_again
        from pipeline.scheduling.served import serve

        if is_own_server(root):
            forget_removed(set(schedules))
            for name in start_again():
                print(f"{name}: was interrupted; starts again", flush=True)
        deployments = [_deployment(name, entry) for name, entry in schedules.items()]
        print(f"serving {', '.join(sorted(schedules))}; Prefect at {url.removesuffix('/api')}", flush=True)
        serve(deployments)


def flow_of(schedule: Schedule) -> Any:
    """The flow that a schedule starts. Imports Prefect, so PREFECT_API_URL counts from here on."""
    from pipeline.scheduling.flows import narrate_inbox, narrate_script

    return narrate_script if schedule.inbox is None else narrate_inbox


def _deployment(name: str, entry: Schedule) -> Any:
    return flow_of(entry).to_deployment(name=name, parameters=entry.parameters(), schedule=entry.timing())
