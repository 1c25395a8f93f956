"""A folder in which one stage can run again: only what it declares, as it was recorded; nothing of the workspace."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.audit.chain import Step, listing
from pipeline.audit.project import Project, StageFacts
from voice.errors import UserError
from voice.files import write_text

SETTINGS = ("dvc.yaml", "dvc.lock", "params.yaml", ".dvcignore")
CONFIG = "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n    autostage = false\n"


def make_copy(project: Project, stage: StageFacts, step: Step, target: Path) -> None:
    """Put the inputs of `stage` into `target`, from the workspace where they are as recorded, else from DVC's cache.

    Raises UserError when an input is neither here nor there, or code, parameters or command are not as recorded.
    """
    hint = "restore it, or run `dvc repro` so that the record is of what is there now"
    if not step.built:
        raise UserError(f"{stage.address}: was never built", "run `dvc repro` first")
    if stage.command_changed:
        raise UserError(f"{stage.address}: its command changed since it ran", hint)
    for param in step.params:
        if param.state != "ok":
            raise UserError(f"{stage.address}: params {param.name} {param.state} since it ran", hint)
    write_text(target / ".dvc" / "config", CONFIG)
    # dvc.yaml is read whole, so what other stages take their parameters from must be there too.
    for name in {*SETTINGS, *(fact.file for one in project.stages for fact in one.params)}:
        if (project.root / name).is_file():
            _copy(project.root / name, target / name)
    for link in step.deps:
        if link.state == "ok":
            _from_workspace(project, link.path, target)
        elif not _from_cache(project, link.path, link.recorded, target):
            what = "recorded but missing" if link.state == "missing" else f"{link.state} since it ran"
            raise UserError(f"{stage.address}: its input {link.path} is {what}, also in the cache", hint)
    _packages(project, stage, target)


def _from_workspace(project: Project, path: str, target: Path) -> None:
    source = project.root / path
    if source.is_file():
        _copy(source, target / path)
        return
    (target / path).mkdir(parents=True, exist_ok=True)
    # Also what .dvcignore leaves out of its hash: `ingest` wants a transcript to be there, whatever it says.
    for file in sorted(source.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            _copy(file, target / path / file.relative_to(source))


def _from_cache(project: Project, path: str, md5: str | None, target: Path) -> bool:
    if md5 is None:
        return False
    wanted = {path: md5}
    if md5.endswith(".dir"):
        inside = listing(project, md5)
        if inside is None:
            return False
        wanted = {f"{path}/{name}": member for name, member in inside.items()}
    files = {name: project.cached_file(member) for name, member in wanted.items()}
    if any(project.hashes.md5(file) != wanted[name] for name, file in files.items()):
        return False
    for name, file in files.items():
        _copy(file, target / name)
    return True


def _packages(project: Project, stage: StageFacts, target: Path) -> None:
    """`__init__.py` of the packages its code lies in: without them Python would take those that are installed."""
    folders = {folder for dep in stage.deps if dep.endswith(".py") for folder in Path(dep).parents}
    for folder in sorted(folders):
        marker = folder / "__init__.py"
        if (project.root / marker).is_file():
            _copy(project.root / marker, target / marker)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)  # never a link: the stage may write into what it reads
