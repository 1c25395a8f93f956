"""What every export is made from: the audit of a model, the sha256 of its files, and by which right it speaks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.backward import Audit, audit_in
from pipeline.audit.chain import Step
from pipeline.audit.project import Project
from pipeline.audit.sources import read_card
from voice.consent import Consent, read_consent
from voice.consent.terms import languages_of, purposes_of
from voice.errors import UserError

PRODUCER = "urn:reprovoice"
SPACE = uuid.UUID("6f0b7f0e-8d0c-5b5e-9d0a-3f6f3f0b2c11")  # of all ids here: the same facts, the same id


@dataclass(frozen=True)
class FileFact:
    """A file by its path from the project's root, and its sha256 (hex)."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Model:
    """One voice's model as it is now. `files` are those of the target, `inputs` all files that its stages read.

    `recorded` is the time at which the present dvc.lock was committed: DVC writes no other down.
    """

    voice: str
    audit: Audit
    consent: Consent
    files: tuple[FileFact, ...]
    inputs: tuple[FileFact, ...]
    recorded: str
    base_cards: tuple[tuple[str, dict[str, Any]], ...]

    @property
    def main_files(self) -> tuple[FileFact, ...]:
        """The files of the model itself, without those of folders in it, such as the clips of an evaluation."""
        return tuple(file for file in self.files if file.path.count("/") == self.audit.target.count("/") + 1)

    @property
    def purposes(self) -> tuple[str, ...]:
        """What the consent allows."""
        return tuple(purposes_of(self.consent))

    @property
    def languages(self) -> tuple[str, ...]:
        """What it may be made to say."""
        return tuple(languages_of(self.consent))

    def identity(self, *more: str) -> uuid.UUID:
        """An id that follows from the hashes of the model's files and `more`."""
        return uuid.uuid5(SPACE, "\n".join([*(f"{file.path} {file.sha256}" for file in self.files), *more]))


def read_model(project: Project, path: Path) -> Model:
    """The facts about `path`, models/<voice>.

    Raises UserError for another path, a stale model, which nothing true can be said about, or an uncommitted dvc.lock.
    """
    target = project.relative(path)
    parts = target.split("/")
    voice = parts[-1]
    if len(parts) != 2 or parts[0] != "models" or voice not in project.voices:
        raise UserError(f"{target}: only the model of a voice is exported", "for example models/<voice>")
    found = audit_in(project, path)
    if not found.fresh:
        raise UserError(f"{target}: {found.verdict}", "run `reprovoice rebuild` before it is exported")
    made = [link.path for step in found.steps for link in step.outs]
    mine = [name for name in made if name.startswith(f"{target}/")]
    read = [link.path for step in found.steps for link in step.deps if link.kind != "made"]
    cards = {item.card_file: read_card((project.root / item.card_file).parent) for item in found.base if item.card_file}
    return Model(
        voice=voice,
        audit=found,
        consent=read_consent(project.root / "data" / "raw" / voice),
        files=_files(project, mine),
        inputs=_files(project, [*read, *(item.path for item in found.base)]),
        recorded=_recorded(project, found),
        base_cards=tuple(sorted(cards.items())),
    )


def _files(project: Project, paths: list[str]) -> tuple[FileFact, ...]:
    """Every file of these paths, folders unfolded, in order and once."""
    names: set[str] = set()
    for path in paths:
        inside = project.hashes.members(path) if (project.root / path).is_dir() else None
        names |= {path} if inside is None else {f"{path}/{name}" for name in inside}
    hashed = ((name, project.hashes.sha256(name)) for name in sorted(names))
    return tuple(FileFact(name, digest) for name, digest in hashed if digest)


def _recorded(project: Project, found: Audit) -> str:
    commit = found.environment.recorded_in
    told = project.git.text("log", "-1", "--format=%cI", commit) if project.git and commit else None
    if not told:
        raise UserError(
            "dvc.lock is in no commit as it is: nothing says when this was made", "commit dvc.lock before the export"
        )
    return told.strip()


def voice_steps(model: Model) -> list[Step]:
    """The stages that are this voice's own."""
    return [step for step in model.audit.steps if step.stage.endswith(f"@{model.voice}")]
