"""Which recording, utterance, parameter, code and base weights made this file, and are they as they were?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.chain import Step, chain_of, not_made
from pipeline.audit.credentials.copies import heard
from pipeline.audit.environment import Environment, read_environment
from pipeline.audit.history import spoken_by
from pipeline.audit.metrics import Metrics, read_metrics
from pipeline.audit.narrated import Narrated, find_narrated
from pipeline.audit.project import Project, open_project
from pipeline.audit.records import SOUNDS
from pipeline.audit.sources import BaseWeights, Source, read_base, read_sources
from pipeline.audit.utterances import Utterances, read_utterances
from voice.consent import CONSENT_FILE
from voice.errors import UserError

ORDER = ("lock", "raw", "base", "input", "params", "code", "command", "made", "output", "ledger", "narration", "cache")
Problem = tuple[str, str]  # a kind of ORDER, and what is wrong


@dataclass(frozen=True)
class Audit:
    """The whole answer. `wrong` is empty when everything is as it was when the target was made; see `in_order`.

    `read` and `unchanged` count hashes: of files read now, and of files that nothing touched since they were read.
    """

    target: str
    sources: tuple[Source, ...]
    base: tuple[BaseWeights, ...]
    steps: tuple[Step, ...]
    narrated: Narrated | None
    wrong: tuple[Problem, ...]
    utterances: tuple[Utterances, ...]
    metrics: tuple[Metrics, ...]
    environment: Environment
    read: int
    unchanged: int

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, nearest to the source first."""
        return tuple(text for _, text in self.wrong)

    @property
    def fresh(self) -> bool:
        """True without problems."""
        return not self.wrong

    @property
    def verdict(self) -> str:
        """ "fresh", or "stale: " and what is wrong, nearest to the source first."""
        return "fresh" if self.fresh else f"stale: {'; '.join(self.problems)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, states included."""
        steps = []
        for step in self.steps:
            plain = asdict(step)
            for name in ("deps", "params", "outs"):
                plain[name] = [asdict(item) | {"state": item.state} for item in getattr(step, name)]
            steps.append(plain)
        sources = [
            asdict(source) | {"recordings": [asdict(item) | {"state": item.state} for item in source.recordings]}
            for source in self.sources
        ]
        return {
            "target": self.target,
            "verdict": self.verdict,
            "fresh": self.fresh,
            "problems": list(self.problems),
            "hashes": {"read": self.read, "unchanged": self.unchanged},
            "sources": sources,
            "base": [asdict(item) | {"state": item.state} for item in self.base],
            "utterances": [table.to_dict() for table in self.utterances],
            "steps": steps,
            "metrics": [asdict(item) for item in self.metrics],
            "environment": asdict(self.environment),
            "narration": None if self.narrated is None else _narration(self.narrated),
        }


def _narration(narrated: Narrated) -> dict[str, Any]:
    files = [asdict(file) | {"state": file.state} for file in narrated.files]
    return asdict(narrated) | {"voice": narrated.voice, "files": files, "weights": dict(narrated.weights)}


def audit(root: Path, path: Path, certificate: Path | None = None) -> Audit:
    """Audit an output of a stage, a folder of outputs, or a narrated file or folder.

    A sound file that no record covers is looked up by its bytes and by its content credentials, also one from outside
    of the project; their signer is trusted when `certificate` (PEM) or the project's own is his or above his. Raises
    UserError for another path outside the project, an input, or something nobody made here.
    """
    with open_project(root) as project:
        return audit_in(project, path, certificate)


def audit_in(project: Project, path: Path, certificate: Path | None = None) -> Audit:
    """`audit` in an opened project."""
    narrated = find_narrated(project.root, path.resolve(), project.hashes)
    if path.is_file() and path.suffix in SOUNDS and (narrated or not _of_a_stage(project, path)):
        narrated, told = heard(project.root, path.resolve(), project.hashes, narrated, certificate)
        if narrated is None:
            raise _unknown(project, path, told)
    target = path.name if narrated and not _inside(project, path) else project.relative(path)
    problems: list[Problem] = []
    if narrated is None:
        steps = chain_of(project, [target])
    else:
        wanted = [f"models/{voice}" for voice in narrated.voices]
        strange = [name for name in wanted if not project.lineage.makers(name)]
        if len(strange) == len(wanted):
            raise not_made(project, strange[0])
        problems += [("narration", f"{name}: no stage of this project makes it") for name in strange]
        steps = chain_of(project, [name for name in wanted if name not in strange])
        problems += [("narration", text) for text in narrated.problems]
        problems += _spoken_otherwise(project, narrated)
    sources = read_sources(project.root, project.hashes, steps)
    base = read_base(project.root, project.hashes, steps)
    problems += chain_problems(project, steps, sources, base)
    problems += [("narration", text) for text in _other_consent(narrated, sources)]
    voices = sorted({voice for step in steps if (voice := step.stage.partition("@")[2])})
    return Audit(
        target=target,
        sources=sources,
        base=base,
        steps=tuple(steps),
        narrated=narrated,
        wrong=in_order(problems),
        utterances=tuple(table for voice in voices if (table := read_utterances(project, voice)).rows),
        metrics=read_metrics(project.root, steps),
        environment=read_environment(project, steps),
        read=project.hashes.read,
        unchanged=project.hashes.unchanged,
    )


def chain_problems(
    project: Project, steps: Sequence[Step], sources: Sequence[Source], base: Sequence[BaseWeights]
) -> list[Problem]:
    """(kind, text) for everything in a chain that is not as recorded."""
    found = [problem for step in steps for problem in _problems(step)]
    for source in sources:
        changed = [item.path for item in source.recordings if item.state == "changed"]
        because = "its transcript or consent record; the recordings are the same"
        known = f"data/raw/{source.voice}/{CONSENT_FILE}" in source.error  # says more than that the folder changed
        found = _name_members(project, found, ("raw", f"data/raw/{source.voice}"), changed, because, known)
    for folder in sorted({item.path.rpartition("/")[0] for item in base}):
        changed = [item.path for item in base if item.state != "ok" and item.path.startswith(f"{folder}/")]
        found = _name_members(project, found, ("base", folder), changed, "its card or licences", False)
    found += [("raw", source.error) for source in sources if source.error]
    return found + [("base", f"{item.path} {item.state}") for item in base if item.state != "ok"]


def in_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """What is wrong, each text once, nearest to the source first; the chain's order within a kind."""
    first: dict[str, str] = {}
    for kind, text in sorted(problems, key=lambda entry: ORDER.index(entry[0])):
        first.setdefault(text, kind)
    return tuple((kind, text) for text, kind in first.items())


def _inside(project: Project, path: Path) -> bool:
    return path.resolve().is_relative_to(project.root)


def _of_a_stage(project: Project, path: Path) -> bool:
    """Whether a stage makes or reads this sound file."""
    target = project.relative(path) if _inside(project, path) else ""
    return bool(target and (project.lineage.makers(target) or project.lineage.readers(target)))


def _unknown(project: Project, path: Path, told: str) -> UserError:
    digest = project.hashes.sha256(path.resolve())
    more = f"; {told}" if told else ""
    return UserError(
        f"{path}: unknown: no stage makes it and no narration or ledger lists it, nor its sha256 {digest}{more}",
        "it was not made in this project, or was changed, or its manifest or sidecar is gone",
    )


def _other_consent(narrated: Narrated | None, sources: Sequence[Source]) -> list[str]:
    """Voices whose consent record is not the one that a narration names."""
    if narrated is None or not narrated.consents:
        return []
    return [
        f"spoken under another consent record than {source.voice} has now"
        for source in sources
        if source.consent_ids and not set(source.consent_ids) & set(narrated.consents)
    ]


def _spoken_otherwise(project: Project, narrated: Narrated) -> list[Problem]:
    """Of files that other weights spoke: which version those were."""
    if not any(text.endswith("is not what spoke this") for text in narrated.problems):
        return []
    found = [spoken_by(project, voice, dict(narrated.weights)) for voice in narrated.voices]
    return [("narration", text) for text in found if text]


def _problems(step: Step) -> list[Problem]:
    """(kind, text) for everything that is not as recorded in one stage."""
    if not step.built:
        return [("output", f"{step.stage} was never built")]
    found = [(link.kind, text) for link in (*step.deps, *step.outs) for text in link.problems]
    for param in step.params:
        if param.state != "ok":
            found.append(("params", f"params {param.name} {param.state}"))
    if step.command_changed:
        found.append(("command", f"{step.stage} command changed"))
    return found


def _name_members(
    project: Project, problems: list[Problem], folder: Problem, changed: list[str], because: str, known: bool
) -> list[Problem]:
    """Say which file changed instead of "folder changed": one that is `changed`, or what differs from Git.

    `because` says what it can be when neither does; `known` leaves the folder out: another line tells it.
    """
    kind, path = folder
    whole = (kind, f"{path} changed")
    if whole not in problems:
        return problems if kind != "raw" else [(kind, f"{name} changed") for name in changed] + problems
    names = changed or _differs_from_git(project, path)
    named = [(kind, f"{name} changed") for name in names]
    if not named and not known:
        named = [(kind, f"{path} changed ({because})")]
    return named + [problem for problem in problems if problem != whole]


def _differs_from_git(project: Project, folder: str) -> list[str]:
    """Files of a folder that are not as the present commit has them; transcripts are links of their own."""
    if project.git is None or project.git.head() is None:
        return []
    listed = project.git.text("status", "--porcelain", "-z", "--untracked-files=all", "--", folder) or ""
    top = project.git.text("rev-parse", "--show-prefix") or ""
    names = [entry[3:].removeprefix(top.strip()) for entry in listed.split("\0") if len(entry) > 3]
    return [name for name in names if not re.search(r"/transcript\.\w+$", name) and name.startswith(f"{folder}/")]
