"""What DVC's cache holds of some voices, in this version and all that Git and DVC's run cache know of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.repo import Repo

from pipeline.dvc_lock import LOCK, read_yaml, stages_of
from pipeline.git import open_git

_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
_HOME = re.compile(r"(?:data|models)/([^/]+)/")


@dataclass(frozen=True)
class Cached:
    """md5 -> path of the objects to remove (members of a folder before it), those kept for others, run records."""

    objects: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    runs: tuple[Path, ...] = ()


class Cache:
    """The local cache of the project at `root`."""

    def __init__(self, root: Path) -> None:
        with Repo(str(root)) as repo:
            self.root, self.runs = root, Path(repo.stage_cache.cache_dir)
            self.remotes = sorted(repo.config["remote"])

    def files(self, md5: str) -> list[Path]:
        """Where an object lies, in DVC's present layout and in that of its versions before 3."""
        places = [self.runs.parent / "files/md5" / md5[:2] / md5[2:], self.runs.parent / md5[:2] / md5[2:]]
        return [path for path in places if path.is_file()]

    def of(self, voices: Iterable[str]) -> Cached:
        """What was made for `voices`; what the lock of another stage refers to is kept."""
        wanted, records = set(voices), []
        own: dict[str, str] = {}
        locks = [stages_of(data) for data in self._locks()]
        for stages in locks:
            for address, stage in stages.items():
                if address.partition("@")[2] in wanted:
                    own |= _outs(stage)
        for path in self._runs():
            record = _mapping(path)
            if wanted & {voice[1] for name in _outs(record).values() if (voice := _HOME.match(name))}:
                records.append(path)
                own |= _outs(record)
        others = {
            md5: address
            for address, stage in locks[0].items()
            if address.partition("@")[2] not in wanted
            for whole in (*_outs(stage), *_outs({"outs": stage.get("deps")}))
            for md5 in (whole, *self._members(whole))
        }
        every: dict[str, str] = {}
        for md5, name in own.items():
            every |= {member: f"{name}/{inner}" for member, inner in self._members(md5).items()} | {md5: name}
        return Cached(
            {md5: name for md5, name in every.items() if md5 not in others and self.files(md5)},
            {md5: others[md5] for md5 in every if md5 in others},
            tuple(records),
        )

    def _members(self, md5: str) -> dict[str, str]:
        """md5 -> path in the folder, of a folder's object; {} for another, or one that is gone."""
        for path in self.files(md5) if md5.endswith(".dir") else ():
            try:
                return {entry["md5"]: str(entry["relpath"]) for entry in json.loads(path.read_bytes())
                        if _MD5.fullmatch(entry["md5"])}  # fmt: skip
            except (ValueError, KeyError, TypeError):
                continue
        return {}

    def _locks(self) -> Iterator[bytes]:
        """dvc.lock as it is now, then in every commit that changed it."""
        path, git = self.root / LOCK, open_git(self.root)
        yield path.read_bytes() if path.is_file() else b""
        held = git.blobs([(commit, LOCK) for commit, _, _ in git.commits(LOCK)]) if git else []
        yield from (blob[1] for blob in held if blob is not None)

    def _runs(self) -> list[Path]:
        return sorted(path for path in self.runs.glob("*/*/*") if path.is_file()) if self.runs.is_dir() else []


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = read_yaml(path.read_bytes())
    except OSError:
        return {}
    return found if isinstance(found, dict) else {}


def _outs(stage: dict[str, Any]) -> dict[str, str]:
    """md5 -> path of a stage's outputs."""
    outs = stage.get("outs") or []
    return {
        str(out["md5"]): str(out.get("path"))
        for out in outs
        if isinstance(out, dict) and _MD5.fullmatch(str(out.get("md5")))
    }
