"""The consent record beside a voice's recordings: by which right they may be cloned, and for what.

`consent.yaml` lists the sha256 of every recording, so that a record cannot be carried over to other audio.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from voice.errors import UserError
from voice.files import sha256_file, write_text
from voice.recording.containers import SUFFIXES

CONSENT_FILE = "consent.yaml"
READABLE = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
_UNREADABLE = frozenset({".amr", ".ape", ".ra", ".avi", ".3gp"})
Basis = Literal["self", "granted", "licence", "synthetic"]


class Consent(BaseModel):
    """One voice's consent: `self` and `granted` name the person, `licence` and `synthetic` name nobody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    basis: Basis
    scope: str = Field(min_length=1, description="what the voice may be used for")
    recordings: dict[str, str] = Field(min_length=1, description="file name -> sha256 (hex)")
    subject: str | None = Field(default=None, min_length=1)
    granted_on: datetime.date | None = None
    licence: str | None = Field(default=None, min_length=1)
    notes: str | None = None

    @field_validator("recordings")
    @classmethod
    def _names_and_hashes(cls, value: dict[str, str]) -> dict[str, str]:
        for name, digest in value.items():
            parts = PurePosixPath(name).parts
            if not parts or name.startswith("/") or ".." in parts or "\\" in name:
                raise ValueError(f"{name!r} leaves the folder")
            if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                raise ValueError(f"{name!r} needs a sha256 of 64 hex digits")
        return value

    @model_validator(mode="after")
    def _person(self) -> Self:
        if self.basis in ("self", "granted") and self.subject is None:
            raise ValueError(f"basis {self.basis!r} needs `subject`, the person who speaks")
        if self.basis in ("licence", "synthetic") and self.subject is not None:
            raise ValueError(f"basis {self.basis!r} names no person; remove `subject`")
        if self.basis == "licence" and self.licence is None:
            raise ValueError("basis 'licence' needs `licence`, its name and source")
        return self


def find_recordings(folder: Path) -> list[Path]:
    """Audio files of a voice's folder and its subfolders, by name (numbers in numeric order).

    Raises UserError when there is none, or one in a format that cannot be read here.
    """
    if not folder.is_dir():
        raise UserError(
            f"{folder}: no such folder",
            "put recording, transcript.txt and consent.yaml there",
        )
    files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    for path in files:
        if path.suffix.lower() in _UNREADABLE:
            raise UserError(f"{path}: {path.suffix} cannot be read", "convert it to wav or flac")
    audio = [p for p in files if p.suffix.lower() in READABLE]
    if not audio:
        raise UserError(
            f"{folder}: holds no recording",
            f"put one there ({', '.join(sorted(READABLE))})",
        )
    return sorted(audio, key=lambda p: _natural(p.relative_to(folder).as_posix()))


def _natural(name: str) -> tuple[Any, ...]:
    parts: list[tuple[int, Any]] = []
    word = ""
    for char in name + "\0":
        if word and char.isdigit() != word[-1].isdigit():
            parts.append((0, int(word)) if word.isdigit() else (1, word))
            word = ""
        word += char
    return (*parts, (1, name))


def read_consent(folder: Path) -> Consent:
    """The consent record of `folder`, recordings not looked at. Raises UserError when missing or wrong."""
    path = folder / CONSENT_FILE
    hint = f"write it with `reprovoice consent new {folder.name}`"
    if not path.is_file():
        raise UserError(f"{path}: no consent record", hint)
    try:
        return Consent.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}", hint) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        given = f" = {first['input']!r}" if isinstance(first["input"], str | int) else ""
        raise UserError(f"{path}: {key}{given}{': ' if key else ''}{reason}", hint) from error


def check_consent(folder: Path) -> Consent:
    """Read the record and compare it with the audio files of `folder`.

    Raises UserError when a recording is not listed, a listed one is missing, or a sha256 differs.
    """
    consent = read_consent(folder)
    hint = f"if this change is meant, renew it with `reprovoice consent new {folder.name}`"
    found = {p.relative_to(folder).as_posix(): p for p in find_recordings(folder)}
    for name in sorted(set(consent.recordings) - set(found)):
        raise UserError(f"{folder / CONSENT_FILE}: recordings.{name}: no such file", hint)
    for name, path in found.items():
        if name not in consent.recordings:
            raise UserError(f"{path}: not listed in {CONSENT_FILE}", hint)
        if (digest := sha256_file(path)) != consent.recordings[name]:
            listed = consent.recordings[name]
            raise UserError(
                f"{path}: sha256 is {digest[:16]}..., {CONSENT_FILE} has {listed[:16]}...",
                hint,
            )
    return consent


def write_consent(
    folder: Path,
    *,
    basis: str,
    scope: str,
    subject: str | None = None,
    granted_on: datetime.date | None = None,
    licence: str | None = None,
    notes: str | None = None,
    recordings: Sequence[Path] | None = None,
) -> Consent:
    """Hash the recordings of `folder` (default: all), write `consent.yaml`. Raises UserError if it is bad."""
    files = find_recordings(folder) if recordings is None else recordings
    given: Mapping[str, Any] = {
        "basis": basis,
        "scope": scope,
        "subject": subject,
        "granted_on": granted_on,
        "licence": licence,
        "notes": notes,
        "recordings": {p.relative_to(folder).as_posix(): sha256_file(p) for p in files},
    }
    try:
        consent = Consent.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = first["msg"].removeprefix("Value error, ")
        where = ".".join(map(str, first["loc"])) or "consent"
        raise UserError(f"{where}: {reason}", "see `reprovoice consent new --help`") from error
    kept = {key: value for key, value in given.items() if value is not None}
    write_text(
        folder / CONSENT_FILE,
        yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=110),
    )
    return consent
