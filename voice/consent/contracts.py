"""The tables of consent: all records of a project, and all revocations."""

from __future__ import annotations

import datetime

from voice import columns as c
from voice.consent.terms import LANGUAGES, PURPOSES

ID = r"[a-z0-9-]{3,64}"
STATES = ("valid", "expired", "revoked", "wrong")


def _day(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _hashes(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, str) and len(one) == 64 and not set(one) - set("0123456789abcdef") for one in value
    )


def _paths(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, str) and one and not one.startswith("/") and ".." not in one.split("/") for one in value
    )


def _some(of: tuple[str, ...]) -> object:
    return lambda value: isinstance(value, list) and not set(value) - set(of)


Revoked = c.table(
    "revoked",
    {
        "id": c.column(str, c.text(ID)),
        "voices": c.column(object, c.list_of(str, empty=True)),
        "date": c.column(str, c.each("a day as 2026-01-31", _day)),
        "reason": c.column(str),
        "recordings": c.column(object, c.each("list of sha256", _hashes)),
        "weights": c.column(object, c.each("list of sha256", _hashes)),
        "files": c.column(object, c.each("list of paths inside the project", _paths)),
    },
)

# One row a voice. A record that cannot be read has the state wrong, and of the rest only why.
Consents = c.table(
    "consents",
    {
        "voice": c.column(str, c.text(), unique=True),
        "id": c.column(str, c.text(ID), nullable=True),
        "basis": c.column(str, nullable=True),
        "subject": c.column(str, nullable=True),
        "scope": c.column(str, nullable=True),
        "purposes": c.column(object, c.each("purposes", _some(PURPOSES))),
        "languages": c.column(object, c.each("languages", _some(LANGUAGES))),
        "expires": c.column(str, c.each("a day as 2026-01-31", _day), nullable=True),
        "recordings": c.count(),
        "signed": c.column(bool),
        "state": c.column(str, c.check(f"one of {', '.join(STATES)}", lambda s: s.isin(STATES))),
        "why": c.column(str),
    },
)
