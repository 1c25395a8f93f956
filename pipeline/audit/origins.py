"""What a question about an input means: the same recording in every voice, a consent record by its id, a section."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.audit.project import Project
from pipeline.audit.sources import Source, read_source
from voice.consent import CONSENT_FILE
from voice.errors import UserError

RAW = "data/raw/"


@dataclass(frozen=True)
class Origin:
    """One input: `kind` is recording, consent, raw (other files beside recordings), params or file.

    `key` is its sha256 (of a consent record: the id that was asked for); `path` may be recorded but missing. Only
    recordings and consent records have a `voice`.
    """

    path: str
    kind: str
    key: str | None
    voice: str = ""
    missing: bool = False


def find_origins(project: Project, given: str) -> list[Origin]:
    """What `given` names: a path (relative to the current folder), or FILE:SECTION of a params file.

    A recording is found in every voice that has the same bytes, also when it was deleted but is still recorded.
    Raises UserError for what is no input.
    """
    file, colon, section = given.rpartition(":")
    if colon and Path(file).name == file and any(fact.file == file for s in project.stages for fact in s.params):
        return [_section(project, file, section)]
    path = project.relative(Path(given))
    if path.startswith(RAW) and path.count("/") >= 3:
        return _raw(project, path)
    full = project.root / path
    if not project.lineage.readers(path) and not project.lineage.makers(path):
        raise UserError(f"{path}: no stage reads it", "name a recording, a file beside it, or a stage's input")
    key = project.hashes.sha256(path) if full.is_file() else None
    return [Origin(path, "file", key, missing=not full.exists())]


def find_consents(project: Project, consent: str) -> list[Origin]:
    """The consent records with this id, now; [] is possible when only the past or a narration knows it.

    Raises UserError for something too short to be an id.
    """
    if len(consent) < 4:
        raise UserError(f"--consent {consent}: too short for an id", "give the id, or sha256 of the consent record")
    found = []
    for voice in project.voices:
        source = read_source(project.root, project.hashes, voice)
        if any(name == consent for name in source.consent_ids):
            found.append(Origin(f"{RAW}{voice}/{CONSENT_FILE}", "consent", consent, voice))
    return found


def readers(project: Project, origin: Origin) -> set[str]:
    """The stages that read an origin themselves."""
    if origin.kind == "params":
        file, _, section = origin.path.partition(":")
        return {s.address for s in project.stages for fact in s.params if (fact.file, fact.name) == (file, section)}
    found = set()
    for name in project.lineage.readers(origin.path):
        for dep in project.by_address[name].deps:
            inside = origin.path.startswith(f"{dep}/")
            # A file that DVC ignores in a folder (a transcript) is read only by stages that name it.
            seen = inside and (origin.missing or origin.path[len(dep) + 1 :] in project.hashes.members(dep))
            if dep == origin.path or dep.startswith(f"{origin.path}/") or seen:
                found.add(name)
    return found


def _section(project: Project, file: str, section: str) -> Origin:
    known = sorted({fact.name for stage in project.stages for fact in stage.params if fact.file == file})
    if section not in known:
        raise UserError(f"{file}: no stage reads {section!r}", f"sections: {', '.join(known)}")
    return Origin(f"{file}:{section}", "params", None)


def _raw(project: Project, path: str) -> list[Origin]:
    voice, name = path.removeprefix(RAW).split("/", 1)
    source = read_source(project.root, project.hashes, voice)
    full = project.root / path
    if name == CONSENT_FILE and full.is_file():
        return [Origin(path, "consent", source.consent_ids[0], voice)]
    mine = next((item for item in source.recordings if item.path == path), None)
    if mine is None:
        if not full.is_file():
            raise UserError(f"{path}: no such file, and no record of one", "see data/raw for what there is")
        return [Origin(path, "raw", project.hashes.sha256(path), voice)]
    digests = {item for item in (mine.sha256, mine.used, mine.consented) if item}
    found = [Origin(path, "recording", mine.sha256 or mine.used or mine.consented, voice, mine.sha256 is None)]
    for other in project.voices:
        for item in _source(project, source, other).recordings:
            if item.path != path and digests & {item.sha256, item.used, item.consented}:
                key = item.sha256 or item.used or item.consented
                found.append(Origin(item.path, "recording", key, other, item.sha256 is None))
    return found


def _source(project: Project, known: Source, voice: str) -> Source:
    return known if known.voice == voice else read_source(project.root, project.hashes, voice)
