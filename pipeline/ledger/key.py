"""The key that signs this project's ledger: made at first use, kept out of Git, readable by its owner alone."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.ledger.entry import Entry, signed_bytes
from pipeline.private_files import check_private, private_folder
from voice.errors import UserError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY = ".reprovoice/ledger.key"


def signing_key(root: Path) -> Ed25519PrivateKey:
    """The private key of the project at `root`, made when there is none; call it within the ledger's lock.

    Raises UserError for a file that is no Ed25519 key, or that others can read; OSError when it cannot be written.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = root / KEY
    if not os.path.lexists(path):
        return _make(path)
    check_private(path, KEY)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UserError(f"{KEY}: no private key in PEM", "move it away, and a new one is made") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(f"{KEY}: no Ed25519 key", "move it away, and a new one is made")
    return key


def _make(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return key


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public key, 64 hex digits."""
    return key.public_key().public_bytes_raw().hex()


def is_signed(entry: Entry) -> bool:
    """Whether the signature is one of this entry by the key it names."""
    from cryptography.exceptions import InvalidSignature

    try:
        _public(entry.public_key).verify(bytes.fromhex(entry.signature), signed_bytes(entry))
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _public(text: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
