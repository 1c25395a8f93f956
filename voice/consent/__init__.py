"""Consent as data that is enforced: records beside recordings, what they allow, what was revoked, and the gate."""

from __future__ import annotations

from voice.consent.gate import permit
from voice.consent.record import (
    CONSENT_FILE,
    Basis,
    Consent,
    check_consent,
    read_consent,
    write_consent,
)
from voice.consent.recordings import READABLE, find_recordings
from voice.consent.terms import LANGUAGES, PURPOSES
from voice.consent.weights import permit_weights

__all__ = [
    "CONSENT_FILE",
    "LANGUAGES",
    "PURPOSES",
    "READABLE",
    "Basis",
    "Consent",
    "check_consent",
    "find_recordings",
    "permit",
    "permit_weights",
    "read_consent",
    "write_consent",
]
