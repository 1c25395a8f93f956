"""One narration at once on a machine, or on each GPU of it: a lock that the kernel frees when its process dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.engine import Loader, uses_gpu
from voice.errors import UserError

POLL_SECONDS = 0.5


def slot_file() -> Path:
    """The lock of this process's device: of the GPUs in CUDA_VISIBLE_DEVICES, else of the whole machine.

    It lies in the user's cache, because all projects of a machine share its processor and its GPU. REPROVOICE_SLOTS
    names another folder.
    """
    folder = Path(os.environ.get("REPROVOICE_SLOTS") or Path.home() / ".cache" / "reprovoice")
    device = re.sub(r"[^A-Za-z0-9-]", "_", os.environ.get("CUDA_VISIBLE_DEVICES", ""))[:64]
    return folder / f"slot-{device or 'all'}.lock"


@contextlib.contextmanager
def machine_slot(waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the device's slot for the block; `waiting()` is called once when another narration has it.

    Unlike a concurrency limit of a Prefect server, which forgets a dead holder after minutes, it is free at once
    after kill -9. Raises UserError when the lock file cannot be made.
    """
    path = slot_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{path}: {reason}", "set REPROVOICE_SLOTS to a folder you can write to") from error
    with handle:
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    waiting()
                told = True
                time.sleep(POLL_SECONDS)  # polled, so that a cancelled run leaves the queue
        yield


def gpu_slot(load: Loader, waiting: Callable[[], None] = lambda: None) -> contextlib.AbstractContextManager[None]:
    """`machine_slot` where the engines of `load` compute on a GPU, which has memory for one narration.

    On the CPU, or on a machine without a GPU, there is nothing to wait for.
    """
    return machine_slot(waiting) if uses_gpu(load) and has_gpu() else contextlib.nullcontext()


def has_gpu() -> bool:
    """Whether torch sees a GPU; CUDA_VISIBLE_DEVICES may hide it."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False  # without waiting for torch
    import torch

    return torch.cuda.is_available()


def shared_slot(limit: str | None) -> contextlib.AbstractContextManager[None]:
    """Hold one slot of the Prefect server's global concurrency limit of that name; None: there is but one machine."""
    if limit is None:
        return contextlib.nullcontext()
    from prefect.concurrency.sync import concurrency

    return concurrency(limit, occupy=1, strict=True)  # a limit that was never made is an error, not leave to go on
