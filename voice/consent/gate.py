"""The one question that everything asks before it trains, speaks, narrates, serves or gives away: may this voice?"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path

from voice.consent.model import Consent
from voice.consent.record import check_consent, check_present, read_consent
from voice.consent.revoked import FILE, Tombstone, blocks, read_revoked
from voice.consent.terms import breach
from voice.errors import UserError

RAW = Path("data/raw")


def permit(
    root: Path, voice: str, purpose: str, *, languages: Iterable[str] = (), today: datetime.date | None = None
) -> Consent:
    """The consent by which `voice` of the project at `root` may be used for `purpose`, one of `terms.PURPOSES`.

    `languages` are those about to be spoken; `today` is the local date unless given. To train, all recordings must be
    there and be the ones consented to; otherwise those that are there. Raises UserError, one line with voice, consent
    id and rule, when there is no record or it does not allow this, or when the tombstones cannot be read.
    """
    folder, stones = record_folder(root, voice), read_revoked(root)
    try:
        consent = read_consent(folder)
    except UserError:
        if stone := blocks(stones, voice=voice):
            raise revoked(voice, stone) from None
        raise
    if stone := blocks(stones, consent=consent.id, hashes=consent.recordings.values()):
        raise revoked(voice, stone)
    if found := breach(consent, purpose, languages, today or datetime.date.today()):
        raise refusal(voice, consent, *found)
    try:
        if purpose == "train":
            check_consent(folder)
        else:
            check_present(folder, consent)
    except UserError as error:
        raise refusal(voice, consent, error.message, error.hint) from error
    return consent


def permit_engine(root: Path, voice: str, purpose: str) -> None:
    """`permit` where the project knows the voice: by a record, or by a tombstone.

    A loader of somebody else's knows voices of its own; what it loads from our folders asks again.
    """
    known = _is_name(voice) and (root / RAW / voice).is_dir()
    if known and (root / RAW / voice / "consent.yaml").is_file():
        permit(root, voice, purpose)
    elif stone := blocks(read_revoked(root), voice=voice):
        raise revoked(voice, stone)


def record_folder(root: Path, voice: str) -> Path:
    """Where a voice's recordings and record lie. Raises UserError for a name that is no folder's."""
    if not _is_name(voice):
        raise UserError(f"{voice!r}: no voice's name", "a voice is a folder of data/raw")
    return root / RAW / voice


def _is_name(voice: str) -> bool:
    return voice not in ("", ".", "..") and "\0" not in voice and Path(voice).name == voice


def refusal(voice: str, consent: Consent, rule: str, hint: str) -> UserError:
    """The one line of a refusal."""
    return UserError(f"{voice}: consent {consent.id}: {rule}", hint)


def revoked(voice: str, stone: Tombstone) -> UserError:
    """The one line of a refusal by a tombstone."""
    return UserError(f"{voice}: consent {stone.id}: {stone.told}", f"this is final; see {FILE}")
