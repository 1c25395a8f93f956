"""What a narrated or spoken file says about itself: its manifest or sidecar, checked against the bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audit.hashes import Hashes
from pipeline.audit.records import MANIFEST, SOUNDS, Spoken, read_all, read_manifest, read_sidecar
from pipeline.audit.signed import changed_records, read_ledger
from pipeline.ledger.find import label_of, look_up
from pipeline.settings import name_in

if TYPE_CHECKING:
    from pipeline.audit.credentials.read import Credentials

HEX64 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SpokenFile:
    """One sound file with the sha256 in its record and the one it has now (None: missing)."""

    path: str
    text: str
    recorded: str
    current: str | None
    voices: tuple[str, ...] = ()
    record: str = ""

    @property
    def state(self) -> str:
        """ok, changed or missing."""
        if self.current is None:
            return "missing"
        return "ok" if self.current == self.recorded else "changed"


@dataclass(frozen=True)
class Narrated:
    """What a narration or a single utterance is: who spoke, under which consent, with which weights, and its files.

    `copy_of` is the recorded path when the file itself has no record but the bytes of one that has, or `credentials`
    that name it.
    """

    voices: tuple[str, ...]
    record: str
    files: tuple[SpokenFile, ...]
    problems: tuple[str, ...]
    consents: tuple[str, ...] = ()
    weights: tuple[tuple[str, str], ...] = ()
    copy_of: str | None = None
    credentials: Credentials | None = None

    @property
    def voice(self) -> str:
        """Who spoke; of several voices the first one."""
        return self.voices[0]


def find_narrated(root: Path, path: Path, hashes: Hashes) -> Narrated | None:
    """The record that covers `path` (absolute): a sidecar beside it, a manifest in its folder or above.

    A sound file that neither covers is looked up by its sha256 among all records of the project. None when there is
    no record. Raises UserError for a damaged one.
    """
    beside = path.with_name(path.name + ".json")
    if path.suffix in SOUNDS and beside.is_file() and path.is_relative_to(root):
        return check_spoken(root, hashes, [read_sidecar(root, beside)])
    for folder in (path, path.parent, path.parent.parent):
        manifest = folder / MANIFEST
        if not manifest.is_file() or not folder.is_relative_to(root):
            continue
        lines = read_manifest(root, manifest)
        books = [read_sidecar(root, file.with_name(f"{file.name}.json")) for file in _books(folder)]
        covered = [entry for entry in (*lines, *books) if _covers(root / entry.path, path, folder, manifest)]
        if covered and lines:
            weights = books[0].weights if books else ()
            return check_spoken(root, hashes, covered, weights, [book.record for book in books])
    if path.is_file() and path.suffix in SOUNDS:
        return _by_content(root, path, hashes)
    return None


def find_in_ledger(root: Path, path: Path, hashes: Hashes) -> Narrated | None:
    """The run of the ledger that made the sound file `path`, or whose number its label carries; None without one.

    Raises LedgerError for a broken ledger.
    """
    digest = hashes.sha256(path)
    found = next(iter(look_up(root, digest, label_of(path))), None)
    if found is None:
        return None
    name = name_in(root, path)
    voices = tuple(spoke.voice for spoke in found.voices)
    file = SpokenFile(name, found.text or "", found.sha256, digest, voices, found.record)
    problems = other_weights(root, hashes, voices, found.weights)
    if found.how == "label":
        problems = (f"{name} changed since it was made: known by its label alone", *problems)
    return Narrated(voices, found.record, (file,), problems, found.consents, found.weights, found.path)


def _covers(entry: Path, path: Path, folder: Path, manifest: Path) -> bool:
    return path in (folder, manifest, entry, entry.parent)


def _by_content(root: Path, path: Path, hashes: Hashes) -> Narrated | None:
    digest = hashes.sha256(path)
    same = [entry for entry in read_all(root)[0] if entry.sha256 == digest]
    if not same:
        return None
    found = same[0]
    name = name_in(root, path)
    file = SpokenFile(name, found.text, found.sha256, digest, found.voices, found.record)
    problems = changed_records(root, hashes, read_ledger(root), [found.record])
    problems += other_weights(root, hashes, found.voices, found.weights)
    return Narrated(found.voices, found.record, (file,), problems, found.consents, found.weights, found.path)


def check_spoken(
    root: Path,
    hashes: Hashes,
    spoken: Sequence[Spoken],
    weights: tuple[tuple[str, str], ...] = (),
    more: Sequence[str] = (),
) -> Narrated:
    """These records against the ledger, their files and the present weights; `weights` where the records have none.

    `more` are paths of records that belong to them.
    """
    hashes.read_ahead("sha256", [entry.path for entry in spoken])
    files = tuple(
        SpokenFile(entry.path, entry.text, entry.sha256, hashes.sha256(entry.path), entry.voices, entry.record)
        for entry in spoken
    )
    voices = tuple(dict.fromkeys(voice for entry in spoken for voice in entry.voices))
    named = tuple(dict.fromkeys(pair for entry in spoken for pair in entry.weights)) or weights
    consents = tuple(dict.fromkeys(item for entry in spoken for item in entry.consents))
    problems = changed_records(root, hashes, read_ledger(root), [*(entry.record for entry in spoken), *more])
    problems += tuple(f"{file.path} {file.state}" for file in files if file.state != "ok")
    problems += other_weights(root, hashes, voices, named)
    record = next((entry.record for entry in spoken if entry.kind == "line"), spoken[0].record)
    return Narrated(voices, record, files, problems, consents, named)


def other_weights(
    root: Path, hashes: Hashes, voices: Sequence[str], weights: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    """A line for each file of weights that lies there now and is not among those that spoke."""
    spoke = {digest for _, digest in weights if HEX64.fullmatch(digest)}
    if not spoke:
        return ()
    present = sorted(file for voice in voices for file in (root / "models" / voice).glob("*.safetensors"))
    return tuple(
        f"{file.relative_to(root).as_posix()} is not what spoke this"
        for file in present
        if hashes.sha256(file) not in spoke
    )


def _books(folder: Path) -> list[Path]:
    """The book in every kind, and its chapters."""
    found = [file for file in sorted(folder.glob("*")) if file.suffix in SOUNDS]
    found += [file for file in sorted((folder / "chapters").glob("*")) if file.suffix in SOUNDS]
    return [file for file in found if file.with_name(f"{file.name}.json").is_file()]
