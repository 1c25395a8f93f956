"""Raw recordings and the consent they are used under; base weights and their cards. As they are now."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.audit.chain import Step
from pipeline.audit.hashes import Hashes
from voice.consent import CONSENT_FILE, Consent, find_recordings, read_consent
from voice.errors import UserError


@dataclass(frozen=True)
class Recording:
    """One raw recording: its sha256 now, when the voice was made from it, and in its consent record."""

    path: str
    sha256: str | None
    used: str | None
    consented: str | None

    @property
    def state(self) -> str:
        """ok, changed since it was used, unconsented, missing, or unrecorded: not in the consent record.

        unconsented: it is what was used, and the consent record has another sha256.
        """
        if self.sha256 is None:
            return "missing"
        if self.used not in (None, self.sha256):
            return "changed"
        if self.consented is None:
            return "unrecorded"
        if self.consented == self.sha256:
            return "ok"
        return "changed" if self.used is None else "unconsented"


@dataclass(frozen=True)
class Source:
    """What a voice was made from: its recordings and by which right they are used.

    `consent_ids`: the sha256 of the consent record, and its id.
    """

    voice: str
    basis: str
    scope: str
    recordings: tuple[Recording, ...]
    error: str = ""
    consent_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class BaseWeights:
    """One file of the base, its sha256 now and on its card; where it came from, and under which licence."""

    path: str
    sha256: str | None
    card: str | None
    origin: str | None = None
    licence: str | None = None
    card_file: str | None = None

    @property
    def state(self) -> str:
        """ok, changed, missing, or unrecorded on the card."""
        if self.sha256 is None:
            return "missing"
        if self.card is None:
            return "unrecorded"
        return "ok" if self.sha256 == self.card else "changed"


def consent_ids(data: bytes) -> tuple[str, ...]:
    """The names a consent record goes by: its sha256 and its id, which follows from it where it gives none.

    A record that does not hold has the id it gives, if any.
    """
    digest = hashlib.sha256(data).hexdigest()
    try:
        said = yaml.safe_load(data)
        return digest, Consent.model_validate(said).id
    except ValidationError:
        own = said.get("id") if isinstance(said, dict) else None
        return (digest, str(own)) if own is not None else (digest,)
    except (yaml.YAMLError, UnicodeDecodeError):
        return (digest,)


def read_sources(root: Path, hashes: Hashes, steps: Iterable[Step]) -> tuple[Source, ...]:
    """The sources of every voice whose raw data the chain reads."""
    found = [re.match(r"data/raw/([^/]+)", dep.path) for step in steps for dep in step.deps]
    return tuple(read_source(root, hashes, voice) for voice in sorted({match[1] for match in found if match}))


def read_source(root: Path, hashes: Hashes, voice: str) -> Source:
    """The recordings of `voice` and its consent record, with what is wrong with them in `error`."""
    folder = root / "data" / "raw" / voice
    used = used_recordings(root, voice)
    record = folder / CONSENT_FILE
    ids = consent_ids(record.read_bytes()) if record.is_file() else ()
    basis, scope, listed, wrong = "unknown", "", {}, ""
    try:
        consent = read_consent(folder)
        basis, scope, listed = consent.basis, consent.scope, dict(consent.recordings)
    except UserError as error:
        wrong = _told(root, error)
    files: list[Path] = []
    try:
        files = find_recordings(folder)
    except UserError as error:
        wrong = wrong or ("" if used or listed else _told(root, error))  # else each that is missing is named
    recordings = []
    for file in files:
        name = file.relative_to(folder).as_posix()
        path = file.relative_to(root).as_posix()
        recordings.append(Recording(path, hashes.sha256(file), used.pop(name, None), listed.pop(name, None)))
    for name in sorted(used.keys() | listed.keys()):
        recordings.append(Recording(f"data/raw/{voice}/{name}", None, used.get(name), listed.get(name)))
    unlisted = [item.path for item in recordings if item.state == "unrecorded"]
    gone = [f"{item.path} missing" for item in recordings if item.sha256 is None]
    other = [item.path for item in recordings if item.state == "unconsented"]
    told = gone + [f"{path} not listed in {CONSENT_FILE}" for path in unlisted]
    told += [f"{record.relative_to(root).as_posix()} has another sha256 for {path}" for path in other]
    error_text = wrong or (told or [""])[0]
    return Source(voice, basis, scope, tuple(recordings), error_text, ids)


def _told(root: Path, error: UserError) -> str:
    return str(error).replace(f"{root}/", "")


def used_recordings(root: Path, voice: str) -> dict[str, str]:
    """File name -> sha256 of the recordings that made the voice, as its first stage wrote them down."""
    try:
        lines = (root / "data" / voice / "recordings.jsonl").read_text(encoding="utf-8").splitlines()
        return {row["file"]: row["sha256"] for row in map(json.loads, lines)}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # the chain reports a missing or changed output by itself


def read_base(root: Path, hashes: Hashes, steps: Iterable[Step]) -> tuple[BaseWeights, ...]:
    """The base's weights in the chain, against the sha256 on the card that lies beside them."""
    paths = sorted({dep.path for step in steps for dep in step.deps if dep.kind == "base"})
    found: list[BaseWeights] = []
    for name in paths:
        given = root / name
        if given.is_dir():
            given = weights_folder(root, given.name)
        files = sorted(given.glob("*.safetensors")) if given.is_dir() else [given]
        listed = [given / name for name in sorted(card_hashes(given))] if given.is_dir() else []
        for file in dict.fromkeys([*files, *listed]):
            if file.suffix == ".safetensors":
                found.append(_weights(root, hashes, file))
    return tuple(dict.fromkeys(found))


def _weights(root: Path, hashes: Hashes, file: Path) -> BaseWeights:
    card = read_card(file.parent)
    source = _sources(file.parent).get(file.name)
    origin = None if source is None else f"{source['repo']}/{source['path']} sha256 {source['sha256']}"
    path, named = file.relative_to(root).as_posix(), (file.parent / "card.json").relative_to(root).as_posix()
    licence = card.get("licence")
    return BaseWeights(
        path,
        hashes.sha256(file),
        card_hashes(file.parent).get(file.name),
        origin,
        licence if isinstance(licence, str) else None,
        named if card else None,
    )


def weights_folder(root: Path, base: str) -> Path:
    """Where the weights of a base lie beside a card with their hashes: with its own, or where it was converted to."""
    own = root / "models" / "base" / base
    return root / "models" / "pretrained" / base if _sources(own) else own


def _sources(folder: Path) -> dict[str, dict[str, str]]:
    """Of a card in `folder`: our file's name -> the published file it is made from; {} for a base of our own."""
    found = read_card(folder).get("sources")
    return found if isinstance(found, dict) else {}


def read_card(folder: Path) -> dict[str, Any]:
    """A base's card.json, {} without a readable one."""
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def card_hashes(folder: Path) -> dict[str, str]:
    """File name -> sha256 from a base's card.json: {"files": {name: {"sha256": hex}}}; {} without."""
    try:
        return {name: str(entry["sha256"]) for name, entry in read_card(folder)["files"].items()}
    except (KeyError, TypeError, AttributeError):
        return {}
