"""All consent records of a project as one checked table, each with its state."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pandera.errors import SchemaErrors

from voice.consent.contracts import Consents
from voice.consent.gate import RAW, record_folder
from voice.consent.model import Consent
from voice.consent.record import check_consent, read_consent
from voice.consent.revoked import blocks, read_revoked
from voice.consent.terms import expired, languages_of, purposes_of
from voice.errors import UserError


def consents(root: Path, today: datetime.date | None = None) -> list[dict[str, Any]]:
    """A row a voice of data/raw, as `contracts.Consents` has it, by name.

    Raises UserError when the tombstones cannot be read, so that no state could be told.
    """
    names = sorted(path.name for path in (root / RAW).glob("*") if path.is_dir())
    rows = [entry_of(root, name, today) for name in names]
    if rows:
        try:
            Consents.validate(pd.DataFrame(rows), lazy=True)
        except SchemaErrors as error:
            case = error.failure_cases.iloc[0]
            broken = f"{case['column']}: {case['check']}: {case['failure_case']!r}"
            raise UserError(f"{root / RAW}: {broken}", "mend this record") from error
    return rows


def entry_of(root: Path, voice: str, today: datetime.date | None = None) -> dict[str, Any]:
    """The row of one voice. Its state is revoked, wrong, expired or valid, the first that is true; `why` tells it."""
    folder, stones = record_folder(root, voice), read_revoked(root)
    row: dict[str, Any] = {"voice": voice}
    try:
        consent = read_consent(folder)
    except UserError as error:
        row |= {"id": None, "basis": None, "subject": None, "scope": None, "purposes": [], "languages": []}
        row |= {"expires": None, "recordings": 0, "signed": False}
        stone = blocks(stones, voice=voice)
        return row | (_state("revoked", stone.told) if stone else _state("wrong", _short(root, error)))
    row |= {"id": consent.id, "basis": consent.basis, "subject": consent.subject, "scope": consent.scope}
    row |= {"purposes": list(purposes_of(consent)), "languages": list(languages_of(consent))}
    row |= {"expires": consent.expires and consent.expires.isoformat(), "recordings": len(consent.recordings)}
    row |= {"signed": consent.signature is not None}
    if stone := blocks(stones, consent=consent.id, hashes=consent.recordings.values()):
        return row | _state("revoked", stone.told)
    return row | _checked(root, folder, consent, today or datetime.date.today())


def _checked(root: Path, folder: Path, consent: Consent, today: datetime.date) -> dict[str, str]:
    try:
        check_consent(folder)
    except UserError as error:
        return _state("wrong", _short(root, error))
    return _state("expired", f"expired on {consent.expires}") if expired(consent, today) else _state("valid", "")


def _state(state: str, why: str) -> dict[str, str]:
    return {"state": state, "why": why}


def _short(root: Path, error: UserError) -> str:
    return str(error).replace(f"{root}/", "")
