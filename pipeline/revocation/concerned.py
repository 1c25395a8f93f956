"""Which recordings a consent covers, and which voices use any of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from voice.consent.gate import RAW
from voice.consent.model import Consent
from voice.consent.record import read_consent
from voice.consent.revoked import read_revoked
from voice.consent.weights import BASES, Origin, ingested, origin_of, told_by_ingest
from voice.errors import UserError


@dataclass(frozen=True)
class Concerned:
    """Recordings of a consent (sha256), voices that use one of them, and what could not be read meanwhile."""

    recordings: frozenset[str]
    voices: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def find_concerned(root: Path, name: str) -> Concerned:
    """Who is concerned when consent `name` is revoked: by records, by tables of ingest, by what weights say.

    Raises UserError for an id that no record, weights or tombstone of the project has.
    """
    records, notes = _records(root)
    origins = {path.name: origin_of(path) for path in _folders(root / "models") if path.name not in BASES}
    origins |= {f"data/{path.name}": told_by_ingest(root, path.name) for path in _folders(root / "data")}
    stones = [stone for stone in read_revoked(root) if stone.id == name]
    covered = {digest for consent in records.values() if consent.id == name for digest in consent.recordings.values()}
    covered |= {digest for origin in origins.values() if origin.consent == name for digest in origin.recordings}
    covered |= {digest for stone in stones for digest in stone.recordings}
    if not covered:
        known = sorted({consent.id for consent in records.values()})
        raise UserError(f"{name}: no consent has this id", f"there are: {', '.join(known) or 'none'}")
    voices = {
        voice for voice, consent in records.items() if consent.id == name or covered & {*consent.recordings.values()}
    }
    for folder, origin in origins.items():
        if origin.consent == name or covered & origin.recordings:
            voices.add(folder.removeprefix("data/"))
    voices |= {path.name for path in _folders(root / "data") if covered & ingested(root, path.name)}
    voices |= {folder for folder, origin in origins.items() if _copied(folder, origin, voices)}
    # Of an earlier revocation only those that have no record of their own: others were made anew from other sound.
    voices |= {voice for stone in stones for voice in stone.voices if voice not in records}
    return Concerned(frozenset(covered), tuple(sorted(voices)), tuple(notes))


def _records(root: Path) -> tuple[dict[str, Consent], list[str]]:
    records, notes = {}, []
    for folder in _folders(root / RAW):
        try:
            records[folder.name] = read_consent(folder)
        except UserError as error:
            notes.append(str(error.message).replace(f"{root}/", ""))
    return records, notes


def _copied(folder: str, origin: Origin, voices: set[str]) -> bool:
    """Weights under another name that say no recordings, only which voice they were trained as."""
    return not origin.recordings and origin.voice in voices and not folder.startswith("data/")


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.glob("*") if path.is_dir() and path.name != RAW.name)
