"""The consent record as values: by which right a voice may be cloned, for what, in which languages, until when."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import json
import re
from pathlib import PurePosixPath
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from voice.consent.recordings import EVIDENCE

Basis = Literal["self", "granted", "licence", "synthetic"]
Language = Literal["en", "zh", "ja", "ko", "yue"]
Purpose = Literal["train", "speak", "narrate", "serve", "publish"]
_STRICT = ConfigDict(frozen=True, extra="forbid")
_HEX = re.compile(r"[0-9a-f]{64}")


def _inside(name: str) -> str:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name:
        raise ValueError(f"{name!r} leaves the folder")
    return name


def _decoded(value: str, size: int) -> str:
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if len(raw) != size:
        raise ValueError(f"{size} bytes in base64 are needed")
    return value


class Evidence(BaseModel):
    """A file of the voice's folder that shows the consent: a signed letter, a spoken sentence."""

    model_config = _STRICT

    file: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @field_validator("file")
    @classmethod
    def _place(cls, value: str) -> str:
        if PurePosixPath(_inside(value)).parts[0] != EVIDENCE:
            raise ValueError(f"{value!r}: put it into {EVIDENCE}/, where it is taken for no recording or transcript")
        return value


class Signature(BaseModel):
    """An Ed25519 signature (RFC 8032) of the record without it, in base64: 32 bytes of key, 64 bytes of value."""

    model_config = _STRICT

    public_key: str
    value: str

    @field_validator("public_key")
    @classmethod
    def _key(cls, value: str) -> str:
        return _decoded(value, 32)

    @field_validator("value")
    @classmethod
    def _value(cls, value: str) -> str:
        return _decoded(value, 64)


class Consent(BaseModel):
    """One voice's consent: `self` and `granted` name the person, `licence` and `synthetic` name nobody.

    `id` is what the record says, or else follows from who consented to what on which recordings, so that it outlives
    new terms and renamed files. `languages` None are all, `purposes` None all but publish.
    """

    model_config = _STRICT

    id: str = Field(default="", pattern=r"^(|[a-z0-9-]{3,64})$")
    basis: Basis
    scope: str = Field(min_length=1, description="what the voice may be used for")
    recordings: dict[str, str] = Field(min_length=1, description="file name -> sha256 (hex)")
    subject: str | None = Field(default=None, min_length=1)
    relation: str | None = Field(default=None, min_length=1, description="of whoever records this to the speaker")
    granted_on: datetime.date | None = None
    expires: datetime.date | None = None
    licence: str | None = Field(default=None, min_length=1)
    languages: tuple[Language, ...] | None = Field(default=None, min_length=1)
    purposes: tuple[Purpose, ...] | None = Field(default=None, min_length=1)
    evidence: Evidence | None = None
    notes: str | None = None
    signature: Signature | None = None

    @field_validator("recordings")
    @classmethod
    def _names_and_hashes(cls, value: dict[str, str]) -> dict[str, str]:
        for name, digest in value.items():
            _inside(name)
            if not _HEX.fullmatch(digest):
                raise ValueError(f"{name!r} needs a sha256 of 64 hex digits")
        return value

    @field_validator("languages", "purposes")
    @classmethod
    def _once(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) < len(value):
            raise ValueError("one is listed twice")
        return value

    @model_validator(mode="after")
    def _person(self) -> Self:
        if self.basis in ("self", "granted") and self.subject is None:
            raise ValueError(f"basis {self.basis!r} needs `subject`, the person who speaks")
        if self.basis in ("licence", "synthetic") and self.subject is not None:
            raise ValueError(f"basis {self.basis!r} names no person; remove `subject`")
        if self.basis == "licence" and self.licence is None:
            raise ValueError("basis 'licence' needs `licence`, its name and source")
        if self.granted_on and self.expires and self.expires < self.granted_on:
            raise ValueError("it expires before it was granted")
        if not self.id:
            object.__setattr__(self, "id", default_id(self))
        return self


def default_id(consent: Consent) -> str:
    """The id of a record that gives none: basis, subject, scope, day and recordings decide it, and nothing else."""
    day = consent.granted_on.isoformat() if consent.granted_on else None
    parts = [consent.basis, consent.subject, consent.scope, day, sorted(set(consent.recordings.values()))]
    return "c-" + hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:16]
