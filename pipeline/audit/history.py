"""Past versions: every dvc.lock that Git still knows, and what of it DVC's cache still holds."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from pipeline.audit.graph import Lineage, Rule
from pipeline.audit.project import Project
from pipeline.audit.sources import consent_ids
from pipeline.dvc_lock import LOCK, stages_of
from voice.consent import CONSENT_FILE
from voice.files import write_text

STORE = ".cache/audit/locks"
Hashed = dict[str, str]


@dataclass(frozen=True)
class Version:
    """One state of dvc.lock: `commit` is the oldest that has it; stage -> path -> md5 of its inputs and outputs."""

    commit: str
    date: str
    subject: str
    deps: dict[str, Hashed]
    outs: dict[str, Hashed]
    consents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    recordings: dict[str, frozenset[str] | None] = field(default_factory=dict)

    def lineage(self) -> Lineage:
        """Its stages as a graph of paths."""
        return Lineage(Rule(name, tuple(self.deps.get(name, {})), tuple(outs)) for name, outs in self.outs.items())

    def made(self) -> Hashed:
        """Path -> md5 of every output."""
        return {path: md5 for outs in self.outs.values() for path, md5 in outs.items()}

    def voices(self) -> list[str]:
        """Names after `@` of its stages."""
        return sorted({name.partition("@")[2] for name in self.outs} - {""})


def read_versions(project: Project) -> list[Version]:
    """Every version that any branch or tag holds, newest first; [] without Git. The same lock is named once."""
    if project.git is None:
        return []
    commits = project.git.commits(LOCK)
    blobs = project.git.blobs([(commit, LOCK) for commit, _, _ in commits])
    firsts = {blob[0]: (entry, blob[1]) for entry, blob in zip(commits, blobs, strict=True) if blob is not None}
    locks = [(entry, _parsed(project, name, data)) for name, (entry, data) in firsts.items()]
    wanted = [(entry[0], voice) for entry, (_, outs) in locks for voice in _voices(outs)]
    records = project.git.blobs([(commit, f"data/raw/{voice}/{CONSENT_FILE}") for commit, voice in wanted])
    held = {key: blob[1] for key, blob in zip(wanted, records, strict=True) if blob is not None}
    parsed: dict[bytes, tuple[tuple[str, ...], frozenset[str]]] = {}
    found = []
    for (commit, date, subject), (deps, outs) in locks:
        consents, recordings = {}, {}
        for voice in _voices(outs):
            record = held.get((commit, voice))
            if record is not None and record not in parsed:
                parsed[record] = (consent_ids(record), _listed(record))
            consents[voice], listed = parsed[record] if record is not None else ((), frozenset())
            used = _used(project, outs, voice)
            recordings[voice] = (used or frozenset()) | listed if used is not None or record is not None else None
        found.append(Version(commit, date, subject, deps, outs, consents, recordings))
    return found


def spoken_by(project: Project, voice: str, weights: Mapping[str, str]) -> str:
    """Which past version of `voice` has weights among these sha256, in words; "" when these are the present ones."""
    wanted, missing = set(weights.values()), 0
    for version in read_versions(project):
        made = {path: md5 for path, md5 in version.made().items() if path.startswith(f"models/{voice}/")}
        for path, md5 in made.items():
            if not path.endswith(".safetensors"):
                continue
            digest = project.hashes.sha256(project.cached_file(md5))
            missing += digest is None
            if digest in wanted and digest != project.hashes.sha256(path):
                return f"spoken by {path} of commit {version.commit[:12]} ({version.date})"
    lost = f", and {missing} file(s) of weights are recorded but missing in the cache" if missing else ""
    return f"spoken by weights of {voice} that no version known to Git and the cache has{lost}"


def _voices(outs: Mapping[str, Hashed]) -> list[str]:
    return sorted({name.partition("@")[2] for name in outs} - {""})


def _parsed(project: Project, blob: str, data: bytes) -> tuple[dict[str, Hashed], dict[str, Hashed]]:
    """deps and outs of a lock; a blob never changes, so it is parsed once and kept."""
    store = project.root / STORE / f"{blob}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        kept = json.loads(store.read_text(encoding="utf-8"))
        return kept[0], kept[1]
    found = _parse(data)
    with contextlib.suppress(OSError):
        write_text(store, json.dumps(found))
    return found


def _parse(data: bytes) -> tuple[dict[str, Hashed], dict[str, Hashed]]:
    stages = stages_of(data).items()
    try:
        return tuple(  # type: ignore[return-value]
            {name: {item["path"]: item.get("md5", "") for item in entry.get(side, ())} for name, entry in stages}
            for side in ("deps", "outs")
        )
    except (KeyError, TypeError, AttributeError):
        return {}, {}  # a commit with a broken lock recorded nothing


def _used(project: Project, outs: Mapping[str, Hashed], voice: str) -> frozenset[str] | None:
    """sha256 of the recordings a version was made from, by its own table in the cache; None when that is gone."""
    md5 = next((made.get(f"data/{voice}/recordings.jsonl") for made in outs.values()
                if f"data/{voice}/recordings.jsonl" in made), None)  # fmt: skip
    if not md5:
        return None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        lines = project.cached_file(md5).read_text(encoding="utf-8").splitlines()
        return frozenset(json.loads(line)["sha256"] for line in lines if line.strip())
    return None


def _listed(record: bytes) -> frozenset[str]:
    """sha256 of the recordings that a consent record names."""
    try:
        listed: Any = yaml.safe_load(record)["recordings"]
        return frozenset(map(str, listed.values()))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
        return frozenset()
