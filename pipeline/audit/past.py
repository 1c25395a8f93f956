"""What past versions made of an input, and whether DVC's cache still has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.audit.chain import listing
from pipeline.audit.graph import related
from pipeline.audit.history import Version
from pipeline.audit.origins import Origin
from pipeline.audit.project import Project
from pipeline.audit.utterances import TRAININGS

NOW, BASE, UNKNOWN = "now", "base", "unknown"


@dataclass(frozen=True)
class PastFile:
    """One output of a past version: `cached` when DVC's local cache has all of it, else it is recorded but missing."""

    path: str
    md5: str
    cached: bool


@dataclass(frozen=True)
class Past:
    """What a version made of the input."""

    commit: str
    date: str
    subject: str
    present: bool
    voices: tuple[str, ...]
    files: tuple[PastFile, ...]


def find_past(
    project: Project, versions: Sequence[Version], origins: Sequence[Origin], consent: str | None
) -> tuple[list[Past], list[str]]:
    """Versions that the origins had a part in, and a line for each thing that cannot be known."""
    found: list[Past] = []
    unsure: dict[str, int] = {}
    held = _holder(project)
    now = {path: md5 for stage in project.stages for path, md5 in stage.outs.items()}
    for version in versions:
        starts = _starts(project, version, origins, consent, unsure)
        lineage = version.lineage() if starts else None
        names = {name for path in starts for name in lineage.forward(path)} if lineage else set()
        if not names:
            continue
        made = {path: md5 for name in sorted(names) for path, md5 in version.outs[name].items()}
        files = tuple(PastFile(path, md5, held(md5)) for path, md5 in made.items())
        voices = tuple(sorted({name.partition("@")[2] for name in names} - {""}))
        present = all(now.get(path) == md5 for path, md5 in made.items())
        found.append(Past(version.commit, version.date, version.subject, present, voices, files))
    gone = "recorded but missing: neither Git nor the cache has what it came from"
    notes = [f"{voice}: {count} version(s) that may rest on it are {gone}" for voice, count in unsure.items()]
    if any(origin.kind == "params" for origin in origins):
        notes.append("past versions are not searched by their parameters")
    return found, notes


def _starts(
    project: Project, version: Version, origins: Sequence[Origin], consent: str | None, unsure: dict[str, int]
) -> list[str]:
    """The paths of `version` at which the origins came in."""
    found = []
    keys = {origin.key for origin in origins if origin.kind == "recording"}
    consents = {origin.key for origin in origins if origin.kind == "consent"} | ({consent} if consent else set())
    for voice in version.voices():
        used = version.recordings.get(voice)
        if (used is None and keys) or (consents and not version.consents.get(voice)):
            unsure[voice] = unsure.get(voice, 0) + 1
        if keys & (used or set()) or consents & set(version.consents.get(voice, ())):
            found.append(f"data/raw/{voice}")
    for origin in origins:
        if origin.kind in ("raw", "file"):
            found += _same_bytes(project, version, origin.path)
    return found


def _same_bytes(project: Project, version: Version, path: str) -> list[str]:
    """`path`, when a stage of the version read just the bytes that lie there now."""
    recorded = {dep: md5 for deps in version.deps.values() for dep, md5 in deps.items() if related(dep, path)}
    if path in recorded:  # a transcript, beside the folder that does not count it
        recorded = {path: recorded[path]}
    return [path] if any(project.hashes.digest(dep) == md5 for dep, md5 in recorded.items()) else []


def _holder(project: Project) -> Callable[[str], bool]:
    @cache
    def held(md5: str) -> bool:
        if not project.cached_file(md5).is_file():
            return False
        if not md5.endswith(".dir"):
            return True
        inside = listing(project, md5)
        return inside is not None and all(held(member) for member in inside.values())

    return held


def weights_versions(
    project: Project, versions: Sequence[Version]
) -> Callable[[Sequence[str], Sequence[tuple[str, str]]], str]:
    """A function from voices and the weights that spoke to "now", the commit that has them, "base" or "unknown".

    base: none of a voice's own weights took part, as in what an evaluation compares with.
    """

    @cache
    def present(voice: str) -> frozenset[str | None]:
        files = sorted((project.root / "models" / voice).glob("*.safetensors"))
        return frozenset(project.hashes.sha256(file) for file in files)

    @cache
    def base() -> frozenset[str | None]:
        files = sorted((project.root / "models" / "pretrained").glob("*/*.safetensors"))
        return frozenset(project.hashes.sha256(file) for file in files)

    @cache
    def before(voice: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for version in versions:
            for path, md5 in version.made().items():
                if path.startswith(f"models/{voice}/") and path.endswith(".safetensors"):
                    digest = project.hashes.sha256(project.cached_file(md5))
                    if digest:
                        found[digest] = version.commit
        return found

    @cache
    def find(voices: tuple[str, ...], weights: tuple[tuple[str, str], ...]) -> str:
        spoke = {digest for _, digest in weights}
        if not spoke:
            return UNKNOWN
        if all(present(voice) and present(voice) <= spoke for voice in voices):
            return NOW
        for voice in voices:
            if commits := [commit for digest, commit in before(voice).items() if digest in spoke]:
                return commits[0]
        trained = {digest for name, digest in weights if name.rpartition("/")[2] in TRAININGS}
        return BASE if trained and trained <= base() else UNKNOWN

    return lambda voices, weights: find(tuple(voices), tuple(weights))
