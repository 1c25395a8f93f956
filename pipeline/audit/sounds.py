"""Sounds that rest on something: those with a record beside them, and those that only the ledger still knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from pipeline.audit.history import Version
from pipeline.audit.past import weights_versions
from pipeline.audit.project import Project
from pipeline.audit.records import SOUNDS, Spoken, find_sound_files
from pipeline.audit.signed import read_ledger
from pipeline.ledger.chain import LEDGER, Line
from pipeline.ledger.entry import Spoke, flat_weights

Weights = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sound:
    """A spoken file that rests on the input; `version` is now, a commit, or unknown.

    One that has no record but a line of the ledger as its `record` is found by its bytes, and `there`, or its `path`
    is where the run put it: of a line of a narration the folder.
    """

    path: str
    record: str
    voices: tuple[str, ...]
    sha256: str
    text: str
    version: str
    there: bool


@dataclass(frozen=True)
class Listed:
    """A sound of the ledger: where it was put, in which line (from 1), by whom, under which consent, with what."""

    path: str
    number: int
    sha256: str
    voices: tuple[str, ...]
    consents: frozenset[str]
    weights: Weights


def find_sounds(
    project: Project, spoken: Sequence[Spoken], voices: Set[str], keys: Set[str], versions: Sequence[Version]
) -> tuple[list[Sound], list[str]]:
    """What `voices` spoke, or what names one of `keys` (of consent records, of clips); and a line for a broken ledger.

    A sound that has a record is told by that alone.
    """
    books = {Path(entry.record).parent.as_posix(): entry.weights for entry in spoken if entry.kind == "book"}
    find = weights_versions(project, versions)
    found = []
    for entry in spoken:
        if voices & set(entry.voices) or keys & {*entry.references, *entry.consents}:
            weights = entry.weights or books.get(Path(entry.record).parent.as_posix(), ())
            there = (project.root / entry.path).is_file()
            version = find(entry.voices, weights)
            found.append(Sound(entry.path, entry.record, entry.voices, entry.sha256, entry.text, version, there))
    ledger = read_ledger(project.root)
    lost = unrecorded(list_sounds(ledger.lines), {entry.sha256 for entry in spoken}, voices, keys)
    places = _by_bytes(project, {entry.path for entry in spoken}) if lost else {}
    for item in lost:
        record, version = f"{LEDGER} line {item.number}", find(item.voices, item.weights)
        path = places.get(item.sha256)
        found.append(Sound(path or item.path, record, item.voices, item.sha256, "", version, path is not None))
    return found, [ledger.problem] if ledger.problem else []


def list_sounds(lines: Iterable[Line]) -> Iterator[Listed]:
    """Every sound of the ledger, in its order: files of books, what was said, and lines."""
    for line in lines:
        entry = line.entry
        for output in entry.outputs:
            if output.path.endswith(SOUNDS):
                yield _listed(output.path, line.number, output.sha256, entry.voices)
        for spoke in entry.voices:
            for digest in spoke.lines:
                yield _listed(entry.place, line.number, digest, [spoke])


def unrecorded(listed: Iterable[Listed], recorded: Set[str], voices: Set[str], keys: Set[str]) -> list[Listed]:
    """Those that rest on `voices` or `keys` and whose bytes no record has; the same bytes in one place once, the last.

    In the order of the ledger.
    """
    last = {
        (item.path, item.sha256): item
        for item in listed
        if item.sha256 not in recorded and (voices & set(item.voices) or keys & item.consents)
    }
    return sorted(last.values(), key=lambda item: item.number)


def _listed(path: str, number: int, digest: str, spokes: Sequence[Spoke]) -> Listed:
    consents = {name for spoke in spokes for name in (spoke.consent_id, spoke.consent_sha256) if name}
    return Listed(path, number, digest, tuple(s.voice for s in spokes), frozenset(consents), flat_weights(spokes))


def _by_bytes(project: Project, recorded: Set[str]) -> Mapping[str, str]:
    """sha256 -> path of sound files that have no record."""
    files = [path for path in find_sound_files(project.root) if path not in recorded]
    project.hashes.read_ahead("sha256", files)
    return {digest: path for path in reversed(files) if (digest := project.hashes.sha256(path))}
