"""The consent record beside a voice's recordings: reading, checking and writing `consent.yaml`.

It lists the sha256 of every recording, so that a record cannot be carried over to other audio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from voice.consent.model import Basis, Consent
from voice.consent.recordings import find_recordings
from voice.consent.seen import remembered, sha256_of
from voice.consent.signature import sign, verify
from voice.errors import UserError
from voice.files import write_text

__all__ = ["CONSENT_FILE", "Basis", "Consent", "check_consent", "check_present", "read_consent", "write_consent"]
CONSENT_FILE = "consent.yaml"


def read_consent(folder: Path) -> Consent:
    """The consent record of `folder`, recordings not looked at. Raises UserError when missing or wrong."""
    path = folder / CONSENT_FILE
    if not path.is_file():
        raise UserError(f"{path}: no consent record", f"write it with `reprovoice consent new {folder.name}`")
    return remembered(path, _read)


def _read(path: Path) -> Consent:
    hint = f"write it with `reprovoice consent new {path.parent.name}`"
    try:
        consent = Consent.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        verify(consent)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}", hint) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        given = f" = {first['input']!r}" if isinstance(first["input"], str | int) else ""
        raise UserError(f"{path}: {key}{given}{': ' if key else ''}{reason}", hint) from error
    except ValueError as error:
        raise UserError(f"{path}: {error}", hint) from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}", "let its reader have it") from error
    return consent


def check_consent(folder: Path) -> Consent:
    """Read the record and compare it with the audio files and the evidence of `folder`.

    Raises UserError when a recording is not listed, a listed one is missing, or a sha256 differs.
    """
    consent = read_consent(folder)
    found = {p.relative_to(folder).as_posix() for p in find_recordings(folder)}
    for name in sorted(set(consent.recordings) - found):
        raise UserError(f"{folder / CONSENT_FILE}: recordings.{name}: no such file", _renew(folder))
    for name in sorted(found - set(consent.recordings)):
        raise UserError(f"{folder / name}: not listed in {CONSENT_FILE}", _renew(folder))
    check_present(folder, consent)
    return consent


def check_present(folder: Path, consent: Consent) -> None:
    """Compare those recordings of a record that are there, and its evidence, with their sha256.

    Recordings that were deleted after training are no fault: the record still says what they were. Raises UserError.
    """
    for name, listed in consent.recordings.items():
        if (folder / name).is_file():
            _compare(folder / name, listed, _renew(folder))
    if consent.evidence is not None:
        path = folder / consent.evidence.file
        if not path.is_file():
            raise UserError(f"{path}: the evidence of {CONSENT_FILE} is missing", "put it back")
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"{path}: a link that leaves the folder", "put the file itself there")
        _compare(path, consent.evidence.sha256, "put the evidence itself back, or renew the record")


def _compare(path: Path, listed: str, hint: str) -> None:
    if (digest := sha256_of(path)) != listed:
        raise UserError(f"{path}: sha256 is {digest[:16]}..., {CONSENT_FILE} has {listed[:16]}...", hint)


def _renew(folder: Path) -> str:
    return f"if this change is meant, renew it with `reprovoice consent new {folder.name}`"


def write_consent(
    folder: Path,
    *,
    basis: str,
    scope: str,
    recordings: Sequence[Path] | None = None,
    key: bytes | None = None,
    **given: Any,
) -> Consent:
    """Hash the recordings of `folder` (default: all), write `consent.yaml`, signed by `key` (PEM) if there is one.

    `given` are the other fields of Consent; `evidence` may be a path inside `folder`. Raises UserError if it is bad.
    """
    files = find_recordings(folder) if recordings is None else recordings
    hashes = {p.relative_to(folder).as_posix(): sha256_of(p) for p in files}
    values: dict[str, Any] = {"basis": basis, "scope": scope, **given, "recordings": hashes}
    if isinstance(proof := values.get("evidence"), Path):
        values["evidence"] = _evidence(folder, proof)
    said: Mapping[str, Any] = {name: value for name, value in values.items() if value is not None}
    try:
        consent = Consent.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = first["msg"].removeprefix("Value error, ")
        where = ".".join(map(str, first["loc"])) or "consent"
        raise UserError(f"{where}: {reason}", "see `reprovoice consent new --help`") from error
    kept = {name: _plain(value) for name, value in said.items()}
    if key is not None:
        consent = sign(consent, key)
        kept["signature"] = consent.model_dump(mode="json")["signature"]
    write_text(folder / CONSENT_FILE, yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=110))
    return consent


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _evidence(folder: Path, path: Path) -> dict[str, str]:
    full = path.resolve()
    if not full.is_file() or not full.is_relative_to(folder.resolve()):
        raise UserError(f"{path}: no file in {folder}", "copy the evidence into the voice's folder first")
    return {"file": full.relative_to(folder.resolve()).as_posix(), "sha256": sha256_of(full)}
