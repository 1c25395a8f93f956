"""The sound of this project that a signed copy was made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.audit.credentials.certificates import anchors_of
from pipeline.audit.credentials.claim import speech_facts
from pipeline.audit.credentials.library import beside, carries, installed
from pipeline.audit.credentials.local import CHAIN
from pipeline.audit.credentials.read import Credentials, as_json, read_credentials
from pipeline.audit.hashes import Hashes
from pipeline.audit.narrated import HEX64, Narrated, SpokenFile, find_in_ledger, other_weights
from pipeline.ledger.find import label_of, look_up
from pipeline.settings import name_in

UNREAD = "carries content credentials, unread (pip install 'reprovoice[c2pa]')"


def trusted_signers(root: Path, certificate: Path | None) -> str:
    """PEM of the certificates that are trusted: the project's own, and those the user gives. Raises UserError."""
    own = root / CHAIN
    return (anchors_of(own) if own.is_file() else "") + (anchors_of(certificate) if certificate else "")


def heard(
    root: Path, path: Path, hashes: Hashes, recorded: Narrated | None, certificate: Path | None
) -> tuple[Narrated | None, str]:
    """What is known of the sound file `path` (absolute) besides what its records say, and a word on its credentials.

    Without a record: the sound its credentials name, else what the ledger knows; None for neither. With one, only what
    lies beside it counts: the bytes are as recorded. Raises UserError for a `certificate` that is none, LedgerError for
    a broken ledger.
    """
    if recorded is not None and not beside(path).is_file():
        return recorded, ""
    anchors = trusted_signers(root, certificate)
    found = read_credentials(path, anchors) if installed() else None
    if found is None:
        unread = UNREAD if not installed() and carries(path) else ""
        return _by_the_ledger(root, path, hashes, recorded, unread), unread
    if recorded is None and (copy := _find_copy(root, path, hashes, found)) is not None:
        return copy, ""
    told = f"credentials {found.told}"
    narrated = _by_the_ledger(root, path, hashes, recorded, "" if found.state == "trusted" else told)
    return narrated and replace(narrated, credentials=found), told


def _by_the_ledger(root: Path, path: Path, hashes: Hashes, recorded: Narrated | None, wrong: str) -> Narrated | None:
    narrated = recorded or find_in_ledger(root, path, hashes)
    if narrated is None or not wrong or (recorded is not None and wrong == UNREAD):
        return narrated
    return replace(narrated, problems=(*narrated.problems, f"{name_in(root, path)}: {wrong}"))


def _find_copy(root: Path, path: Path, hashes: Hashes, credentials: Credentials) -> Narrated | None:
    """The run of the ledger that made the sound which the credentials of `path` name; None where none did.

    What is wrong with the credentials is among the problems: they count for nothing unless a trusted signer's hold.
    Raises LedgerError for a broken ledger.
    """
    named = str(credentials.facts.get("sha256", ""))
    found = next(iter(look_up(root, named, None)), None) if HEX64.fullmatch(named) else None
    if found is None:
        return None
    digest = str(hashes.sha256(path))
    name = name_in(root, path)
    voices = tuple(spoke.voice for spoke in found.voices)
    same = credentials.state in ("trusted", "valid", "expired")
    # The credentials say that nothing changed since the copy was signed; its sha256 is its own.
    file = SpokenFile(name, found.text or "", digest if same else named, digest, voices, found.record)
    problems: tuple[str, ...] = () if credentials.state == "trusted" else (f"{name}: credentials {credentials.told}",)
    if same and as_json(credentials.facts) != as_json(speech_facts(found, label_of(path))):
        problems += (f"{name}: its credentials say otherwise than {found.record}",)
    problems += other_weights(root, hashes, voices, found.weights)
    return Narrated(
        voices, found.record, (file,), problems, found.consents, found.weights, found.path, credentials=credentials
    )
