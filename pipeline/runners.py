"""Where batches of lines are rendered: here, in threads or processes, on a Dask or a Ray cluster."""

from __future__ import annotations

import re
from typing import Any

from voice.errors import UserError

KNOWN = "local, threads:N, processes:N, dask:N, dask:ADDRESS, ray:N, ray:ADDRESS"
_FORM = re.compile(r"(threads|processes|dask|ray):(.+)")
_MOST = 256


def parse_runner(text: str) -> tuple[str, int, str | None]:
    """(kind, workers, address) of a runner's name; of a cluster that is running its size is guessed as 16.

    Raises UserError for another name.
    """
    if text == "local":
        return "local", 1, None
    match = _FORM.fullmatch(text)
    if match is None:
        raise UserError(f"runner {text!r}: not known", f"use one of {KNOWN}")
    kind, value = match.groups()
    if value.isascii() and value.isdigit():
        if not 1 <= int(value) <= _MOST:
            raise UserError(f"runner {text!r}: {value} workers", f"use 1 to {_MOST}")
        return kind, int(value), None
    if kind not in ("dask", "ray") or "://" not in value:
        raise UserError(f"runner {text!r}: {value!r} is no number of workers", f"use one of {KNOWN}")
    return kind, 16, value


def make_runner(text: str) -> tuple[Any, int]:
    """Prefect's task runner of that name (None for local) and how many tasks it runs at once.

    Raises UserError when its package is not installed. Dask and Ray need the line store on a disk that all share.
    """
    kind, workers, address = parse_runner(text)
    if kind == "threads":
        from prefect.task_runners import ThreadPoolTaskRunner

        return ThreadPoolTaskRunner(max_workers=workers), workers
    if kind == "processes":
        from prefect.task_runners import ProcessPoolTaskRunner

        return ProcessPoolTaskRunner(max_workers=workers), workers
    if kind == "dask":
        return _dask(workers, address), workers
    if kind == "ray":
        return _ray(workers, address), workers
    return None, 1


def _dask(workers: int, address: str | None) -> Any:
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError as error:
        raise UserError("runner dask: its package is not installed", "pip install 'reprovoice[dask]'") from error
    if address is not None:
        return DaskTaskRunner(address=address)
    # One thread each: a voice speaks one line at a time. No dashboard: it would take a port that others may use.
    return DaskTaskRunner(
        cluster_kwargs={"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None, "processes": True}
    )


def _ray(workers: int, address: str | None) -> Any:
    try:
        from prefect_ray import RayTaskRunner
    except ImportError as error:
        raise UserError("runner ray: its package is not installed", "pip install 'reprovoice[ray]'") from error
    if address is not None:
        return RayTaskRunner(address=address)
    return RayTaskRunner(init_kwargs={"num_cpus": workers, "include_dashboard": False})
