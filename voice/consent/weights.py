"""Weights carry the consent and the recordings that they were made from, and are asked for it when they are loaded."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from voice.consent.gate import RAW, permit, refusal, revoked
from voice.consent.model import Consent
from voice.consent.revoked import blocks, read_revoked
from voice.consent.seen import remembered, sha256_of
from voice.errors import UserError

MARKER = "dvc.yaml"  # marks a project's root
WEIGHTS = ("semantic.safetensors", "acoustic.safetensors")
ORIGIN_FILE = "consent.json"  # in data/<voice>: id and recordings that training took
BASES = ("base", "pretrained")
_META = "reprovoice"  # as voice.weights writes it, which needs torch


@dataclass(frozen=True)
class Origin:
    """What weights say of themselves. `sources` are sha256 of the published files they were imported from."""

    voice: str | None = None
    consent: str | None = None
    recordings: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()


def note_of(voice: str, base: str, chosen: dict[str, Any], origin: Path) -> dict[str, Any]:
    """The metadata of trained weights. `origin` is what `ingest` wrote: {id, recordings: {file: sha256}}.

    New terms leave that file as it is, so that they train nothing anew. Raises UserError when it is missing.
    """
    if not origin.is_file():
        raise UserError(f"{origin}: no such file", "run `dvc repro` first")
    consent = json.loads(origin.read_text(encoding="utf-8"))
    return {"voice": voice, "base": base, "chosen": chosen, "consent": consent}


def origin_of(folder: Path) -> Origin:
    """What the weights of `folder` say together; nothing where they are missing or say nothing."""
    found = [remembered(folder / name, _origin) for name in WEIGHTS if (folder / name).is_file()]
    return Origin(
        next((one.voice for one in found if one.voice), None),
        next((one.consent for one in found if one.consent), None),
        frozenset().union(*(one.recordings for one in found)),
        frozenset().union(*(one.sources for one in found)),
    )


def _origin(path: Path) -> Origin:
    try:
        with safe_open(str(path), framework="numpy") as file:
            meta = json.loads((file.metadata() or {}).get(_META, "{}"))
        consent, source = meta.get("consent") or {}, meta.get("source") or {}
        recordings = frozenset(map(str, consent.get("recordings", {}).values()))
        sources = frozenset([str(source["sha256"])] if "sha256" in source else [])
        return Origin(meta.get("voice"), consent.get("id"), recordings, sources)
    except (SafetensorError, OSError, ValueError, AttributeError, TypeError):
        return Origin()  # unreadable weights do not load either; the loader says what is wrong with them


def permit_weights(
    folder: Path, purpose: str, *, languages: Iterable[str] = (), today: datetime.date | None = None
) -> Consent | None:
    """`permit` for the voice whose weights lie in `folder`; None for a base, and an imported voice without a record.

    The project is the one `folder` lies in. Its voice is that of the folder's name or, where that has no record, the
    one it was trained as. Raises UserError besides when its recordings or weights were revoked, under whatever name,
    when they are not covered by the record, and for a trained voice outside of every project.
    """
    here, root = Path(os.path.abspath(folder)), project_of(folder)
    origin = origin_of(here)
    trained = origin.voice is not None or (root is not None and _is_voice(root, here))
    if root is None:
        if trained:
            raise UserError(
                f"{folder}: a trained voice outside of a project, so that no consent record can be found",
                "use it in its project, as models/<voice>",
            )
        return None
    name = _name(root, here, origin)
    hashes = {*origin.recordings, *origin.sources}
    if stones := read_revoked(root):  # only then: hashing takes a while
        hashes |= ingested(root, name) if trained and not origin.recordings else set()
        hashes |= {sha256_of(here / weights) for weights in WEIGHTS if (here / weights).is_file()}
        if stone := blocks(stones, consent=origin.consent, hashes=hashes):
            raise revoked(name, stone)
    record = (root / RAW / name / "consent.yaml").is_file()
    if not trained and not (_imported(here) and record):
        if _imported(here) and (stone := blocks(stones, voice=name)):
            raise revoked(name, stone)
        return None
    consent = permit(root, name, purpose, languages=languages, today=today)
    if not origin.recordings <= set(consent.recordings.values()):
        raise refusal(
            name, consent, "recording changed: its weights were made from one that the record does not list",
            f"run `reprovoice rebuild --voice {name}`",
        )  # fmt: skip
    return consent


def permit_clip(root: Path, clip: Path) -> None:
    """Raise UserError for a reference clip that is a revoked recording, or the reference of a revoked voice."""
    stones = read_revoked(root)
    if stones and clip.is_file() and (stone := blocks(stones, hashes=[sha256_of(clip)])):
        raise revoked(clip.name, stone)


def project_of(folder: Path) -> Path | None:
    """The root of the project that `folder` lies in, if it does."""
    here = Path(os.path.abspath(folder))
    return next((above for above in (here, *here.parents) if (above / MARKER).is_file()), None)


def _is_voice(root: Path, folder: Path) -> bool:
    return folder.parent == root / "models" and folder.name not in BASES and not _imported(folder)


def _imported(folder: Path) -> bool:
    return (folder / "import.json").is_file()


def _name(root: Path, folder: Path, origin: Origin) -> str:
    for name in (folder.name, origin.voice):
        if name and (root / RAW / name / "consent.yaml").is_file():
            return name
    return folder.name


def ingested(root: Path, voice: str) -> set[str]:
    """sha256 of the recordings that data/<voice>/recordings.jsonl tells of: for weights that do not tell themselves."""
    path = root / "data" / voice / "recordings.jsonl"
    return set(remembered(path, _listed)) if path.is_file() else set()


def told_by_ingest(root: Path, voice: str) -> Origin:
    """What data/<voice>/consent.json says; nothing where it is missing or damaged."""
    try:
        told = json.loads((root / "data" / voice / ORIGIN_FILE).read_text(encoding="utf-8"))
        return Origin(voice, str(told["id"]), frozenset(map(str, told["recordings"].values())))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Origin()


def _listed(path: Path) -> frozenset[str]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return frozenset(str(row["sha256"]) for row in rows)
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path}: not a table of recordings", "delete it and run `dvc repro`") from None
