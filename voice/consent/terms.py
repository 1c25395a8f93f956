"""What a consent record allows: for which purposes, in which languages, until which day."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import get_args

from voice.consent.model import Consent, Language, Purpose

LANGUAGES: tuple[str, ...] = get_args(Language)
PURPOSES: tuple[str, ...] = get_args(Purpose)
USUAL = tuple(purpose for purpose in PURPOSES if purpose != "publish")
# Languages bound what a voice is made to say to people, not how it is made or measured.
SPOKEN = ("speak", "narrate", "serve")


def purposes_of(consent: Consent) -> tuple[str, ...]:
    """The purposes a record grants: those it lists, or all but publish."""
    return USUAL if consent.purposes is None else consent.purposes


def languages_of(consent: Consent) -> tuple[str, ...]:
    """The languages a record grants: those it lists, or all."""
    return LANGUAGES if consent.languages is None else consent.languages


def expired(consent: Consent, today: datetime.date) -> bool:
    """True from the day after the last one."""
    return consent.expires is not None and today > consent.expires


def breach(consent: Consent, purpose: str, languages: Iterable[str], today: datetime.date) -> tuple[str, str] | None:
    """(the rule that is broken, what to do about it), or None when the record allows it.

    `languages` are those to be spoken; they count for speak, narrate and serve. Raises ValueError for a purpose that
    is none: a caller's slip must not open the gate.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose!r} is no purpose; there are {', '.join(PURPOSES)}")
    if expired(consent, today):
        return f"expired on {consent.expires}", "ask the speaker again, then write a new record"
    if purpose not in purposes_of(consent):
        return f"{purpose} not granted, only {', '.join(purposes_of(consent))}", "ask the speaker for more"
    missing = sorted(set(languages) & set(LANGUAGES) - set(languages_of(consent))) if purpose in SPOKEN else []
    if missing:
        return f"language {', '.join(missing)} not granted, only {', '.join(languages_of(consent))}", "change the text"
    return None
