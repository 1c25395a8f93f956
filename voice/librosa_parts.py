"""Parts of librosa, imported by one process at a time.

Some of its functions are compiled by numba when they are imported and kept beside its files. Where two processes fill
that cache at the same moment, as they do in a new environment, it can end up such that every later call crashes: one
of six pairs of processes did that, and a whole test run; with this lock none of seven.

They are imported in a thread of their own, whose stack is short: librosa looks through the source of every frame of the
stack while it is imported, which takes half a second within a command.
"""

from __future__ import annotations

import fcntl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any


@cache
def part(name: str) -> Any:
    """The module `librosa.NAME`, such as "filters". To be used in place of an import of librosa."""
    found = find_spec("librosa")
    assert found is not None and found.origin is not None
    with open(found.origin, "rb") as file:
        with suppress(OSError):  # some file systems know no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(import_module, f"librosa.{name}").result()
