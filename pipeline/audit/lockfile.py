"""Is dvc.lock what runs wrote? Each entry must be in Git as it stands, or in DVC's own record of runs.

DVC keeps the entry of every run below `runs/`, in a file named by the hash of the entry. A lock edited by hand agrees
with neither.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from dvc.stage.cache import _get_cache_hash

from pipeline.audit.project import RUNS, Project
from pipeline.dvc_lock import LOCK, read_yaml, stages_of

Entry = dict[str, Any]


def edited_entries(project: Project, addresses: Iterable[str]) -> dict[str, str]:
    """Stage -> what is wrong with its entry in dvc.lock, for those that no run and no commit has."""
    path = project.root / LOCK
    stages = stages_of(path.read_bytes()) if path.is_file() else {}
    committed = _committed(project)
    found = {}
    for address in addresses:
        entry = stages.get(address)
        if entry is None or entry == committed.get(address) or _ran(project, entry):
            continue
        before = committed.get(address)
        found[address] = f"{LOCK}: {address} {_told(entry, before)}"
    return found


def _told(entry: Entry, before: Entry | None) -> str:
    known = "was written by no run that DVC's cache knows"
    if before is None:
        return f"{known}, and Git has no such entry"
    names = sorted(key for key in entry.keys() | before.keys() if entry.get(key) != before.get(key))
    paths = [_path(entry, before, key) for key in names if key in ("deps", "outs")]
    where = ", ".join(path for path in paths if path) or ", ".join(names)
    return f"{known}, and differs from Git in {where}"


def _path(entry: Entry, before: Entry, key: str) -> str:
    old = {str(item): item for item in before.get(key, [])}
    return ", ".join(str(item.get("path")) for item in entry.get(key, []) if str(item) not in old)


def _committed(project: Project) -> dict[str, Entry]:
    if project.git is None or project.git.head() is None:
        return {}
    (held,) = project.git.blobs([("HEAD", LOCK)])
    return stages_of(held[1]) if held else {}


def _ran(project: Project, entry: Entry) -> bool:
    """Whether DVC's record of runs has just this entry."""
    with contextlib.suppress(OSError, KeyError, TypeError, AttributeError):
        key, value = _get_cache_hash(_copy(entry), key=True), _get_cache_hash(_copy(entry))
        kept = project.cache / RUNS / key[:2] / key / value
        return bool(read_yaml(kept.read_bytes()) == entry)
    return False


def _copy(entry: Entry) -> Entry:
    return {name: list(value) if isinstance(value, list) else value for name, value in entry.items()}
