"""Every byte of a chain read again, and its first broken link named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.backward import Problem, audit_in, chain_problems, in_order
from pipeline.audit.chain import Link, Step, chain_of, listing
from pipeline.audit.lockfile import edited_entries
from pipeline.audit.narrated import check_spoken
from pipeline.audit.project import Project, open_project
from pipeline.audit.records import read_all
from pipeline.audit.signed import ledger_problem
from pipeline.audit.sources import read_base, read_sources


@dataclass(frozen=True)
class Verified:
    """What was found. `broken` is in the order of the chain, nearest to the source first; `notes` break nothing."""

    target: str
    files: int
    broken: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when every link holds."""
        return not self.broken

    @property
    def verdict(self) -> str:
        """ "verified", or "broken at " and the first broken link."""
        return "verified" if self.ok else f"broken at {self.broken[0][1]}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        broken = [{"kind": kind, "what": text} for kind, text in self.broken]
        return {
            "target": self.target,
            "verdict": self.verdict,
            "ok": self.ok,
            "files": self.files,
            "broken": broken,
            "notes": list(self.notes),
        }


def verify(root: Path, path: Path | None = None) -> Verified:
    """Read again all that `path` rests on (default: every stage, and every sound that has a record).

    Raises UserError as `audit` does.
    """
    with open_project(root, fresh=True) as project:
        if path is None:
            target, steps, problems = _everything(project)
        else:
            found = audit_in(project, path)
            target, steps = found.target, found.steps
            problems = list(found.wrong)
        edited = edited_entries(project, [step.stage for step in steps])
        problems += [("lock", text) for text in edited.values()]
        problems += [("lock", text) for text in _torn(steps)]
        broken, notes = _caches(project, steps)
        problems += broken
        return Verified(target, project.hashes.read, in_order(problems), tuple(notes))


def _everything(project: Project) -> tuple[str, tuple[Step, ...], list[Problem]]:
    steps = tuple(chain_of(project, [path for stage in project.stages for path in stage.outs]))
    sources = read_sources(project.root, project.hashes, steps)
    base = read_base(project.root, project.hashes, steps)
    problems = chain_problems(project, steps, sources, base)
    spoken, wrong = read_all(project.root)
    problems += [("ledger", text)] if (text := ledger_problem(project.root)) else []
    problems += [("narration", text) for text in wrong]
    if spoken:
        problems += [("narration", text) for text in check_spoken(project.root, project.hashes, spoken).problems]
    return ".", steps, problems


def _torn(steps: Sequence[Step]) -> list[str]:
    """Inputs that dvc.lock records otherwise than as the output of the stage that makes them."""
    made = {out.path: (step.stage, out.recorded) for step in steps for out in step.outs}
    found = []
    for step in steps:
        for dep in step.deps:
            maker, recorded = made.get(dep.path, ("", None))
            if recorded and dep.recorded and recorded != dep.recorded:
                found.append(f"dvc.lock: {step.stage} used another {dep.path} than {maker} made")
    return found


def _caches(project: Project, steps: Sequence[Step]) -> tuple[list[Problem], list[str]]:
    """Objects of DVC's cache that are not what their name says, and how many are missing."""
    broken: list[Problem] = []
    missing = 0
    objects = [
        (name, md5, project.cached_file(md5))
        for step in steps
        for out in step.outs
        if out.recorded is not None and out.path in project.by_address[step.stage].cached
        for name, md5 in _objects(project, out)
    ]
    project.hashes.read_ahead("md5", [file for _, _, file in objects])
    for name, md5, file in objects:
        if (found := project.hashes.md5(file)) is None:
            missing += 1
        elif found != md5.removesuffix(".dir"):
            broken.append(("cache", f"the cached copy of {name} changed"))
    notes = [f"{missing} file(s) are recorded but missing in the cache"] if missing else []
    return broken, notes


def _objects(project: Project, out: Link) -> list[tuple[str, str]]:
    """(name, md5) of a cached output, and of everything in it."""
    assert out.recorded is not None
    found = [(out.path, out.recorded)]
    if out.recorded.endswith(".dir"):
        found += [(f"{out.path}/{name}", md5) for name, md5 in (listing(project, out.recorded) or {}).items()]
    return found
