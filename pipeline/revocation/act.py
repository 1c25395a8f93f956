"""Revoking: first the tombstone, which stops everything at once; then, if asked, removing what was derived.

Nothing is remembered between the two but the tombstone: what is left is looked for again, so that a removal that was
killed goes on when it is called again.
"""

from __future__ import annotations

import datetime
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.revocation.cache import Cache, Cached
from pipeline.revocation.concerned import find_concerned
from pipeline.revocation.spoken import find_spoken
from voice.consent.revoked import FILE, Tombstone, add_tombstone, writing
from voice.consent.weights import BASES, WEIGHTS
from voice.errors import UserError
from voice.files import sha256_file

# Pieces of all voices under keys that do not tell whose they are; made again when they are needed.
ITEMS = ("ingest", "slice", "align", "align-heard", "features")
SHARED = (*(Path(".cache/items") / name for name in ITEMS), Path(".cache/train"))
SPEAKS = (*WEIGHTS, "reference.flac")


@dataclass(frozen=True)
class Revocation:
    """What a revocation concerns. `files` from the root, folders end in "/"; `objects` and `kept` are md5 -> path."""

    id: str
    date: str
    reason: str
    voices: tuple[str, ...]
    recordings: tuple[str, ...]
    weights: tuple[str, ...]
    files: tuple[str, ...]
    shared: tuple[str, ...]
    objects: dict[str, str]
    kept: dict[str, str]
    runs: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def mark_revoked(root: Path, name: str, reason: str = "", today: datetime.date | None = None) -> Revocation:
    """Write the tombstone of consent `name` and tell what was derived from its recordings; removes nothing.

    Raises UserError for an unknown id, or when the tombstones there are cannot be read.
    """
    with writing(root):
        concerned = find_concerned(root, name)
        cache = Cache(root)
        cached = cache.of(concerned.voices)
        files = _derived(root, concerned.voices)
        weights = _weights(root, concerned.voices, cache, cached)
        day, why = (today or datetime.date.today()).isoformat(), " ".join(reason.split())
        recordings = tuple(sorted(concerned.recordings))
        try:
            stone = add_tombstone(root, Tombstone(name, concerned.voices, day, why, recordings, weights, files))
        except OSError as error:
            raise UserError(f"{root / FILE}: {error.strerror or error}", "nothing was revoked; run it again") from error
    shared = tuple(path.as_posix() + "/" for path in SHARED if (root / path).is_dir())
    notes = [*concerned.notes, *_notes(root, concerned.voices, cache)]
    return Revocation(
        name, stone.date, stone.reason, concerned.voices, recordings, weights, files, shared,
        cached.objects, cached.kept,
        tuple(path.as_posix() for path in cached.runs), tuple(notes),
    )  # fmt: skip


def delete_derived(root: Path, found: Revocation) -> dict[str, int]:
    """Remove files, shared caches, cache objects and run records of a revocation; {files, objects, bytes}.

    Folders are removed after what they list, so that nothing is out of reach after a kill. Raises UserError when a file
    cannot be removed.
    """
    try:
        return _delete(root, found)
    except OSError as error:
        told = f"{error.filename}: {error.strerror or error}"
        raise UserError(told, "revoked, but not all is removed; mend it and run again with --delete") from error


def _delete(root: Path, found: Revocation) -> dict[str, int]:
    removed = {"files": 0, "objects": 0, "bytes": 0}
    for name in (*found.files, *found.shared):
        for path in _below(root / name):
            removed["bytes"] += path.lstat().st_size
            removed["files"] += 1
            path.unlink()
        if name.endswith("/"):
            shutil.rmtree(root / name, ignore_errors=True)
    cache = Cache(root)
    for md5 in sorted(found.objects, key=lambda md5: md5.endswith(".dir")):
        for path in cache.files(md5):
            removed["bytes"] += path.stat().st_size
            removed["objects"] += 1
            path.unlink()
    for run in found.runs:
        Path(run).unlink(missing_ok=True)
    return removed


def _below(path: Path) -> list[Path]:
    """The file itself, or all below a folder; links are not followed."""
    if path.is_symlink() or path.is_file():
        return [path]
    return sorted(Path(here) / name for here, _, files in os.walk(path) for name in files)


def _derived(root: Path, voices: tuple[str, ...]) -> tuple[str, ...]:
    """Paths from the root: what stages made for `voices`, and what they spoke elsewhere."""
    homes = [root / kind / voice for voice in voices for kind in ("data", "models")]
    entries = [home for home in homes if home.is_symlink()]
    real = [home for home in homes if home.is_dir() and not home.is_symlink()]
    entries += [path for home in real for path in home.iterdir() if path.name != ".gitignore"]
    skip = {*homes, root / "data/raw", *(root / "models" / name for name in BASES)}
    made = [path.relative_to(root).as_posix() + ("/" if _is_folder(path) else "") for path in entries]
    spoken = [path.relative_to(root).as_posix() for path in find_spoken(root, set(voices), skip)]
    return tuple(sorted(made) + spoken)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _weights(root: Path, voices: tuple[str, ...], cache: Cache, cached: Cached) -> tuple[str, ...]:
    """sha256 of the files that let `voices` speak, now and in all versions that the cache holds."""
    files = [root / "models" / voice / name for voice in voices for name in SPEAKS]
    for md5, name in cached.objects.items():
        if name.startswith("models/") and Path(name).name in SPEAKS:
            files += cache.files(md5)
    return tuple(sorted({sha256_file(path) for path in files if path.is_file()}))


def _notes(root: Path, voices: tuple[str, ...], cache: Cache) -> list[str]:
    """What only a person can do."""
    sources = [f"data/raw/{voice}" for voice in voices if (root / "data/raw" / voice).is_dir()]
    notes = [f"the recordings themselves stay: {', '.join(sources)} (and in the history of Git)"] if sources else []
    if cache.remotes:
        notes.append(f"what was pushed to {', '.join(cache.remotes)} is there still: dvc gc --cloud")
    return notes
