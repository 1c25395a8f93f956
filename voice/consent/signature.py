"""Signed consent records: Ed25519 over the canonical JSON of a record, which any tool can check."""

from __future__ import annotations

import base64
import json

from voice.consent.model import Consent, Signature
from voice.errors import UserError


def canonical(consent: Consent) -> bytes:
    """The record without its signature as UTF-8 JSON: keys sorted, no spaces, nothing that is not said."""
    said = consent.model_dump(mode="json", exclude={"signature"}, exclude_none=True)
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def verify(consent: Consent) -> None:
    """Raise ValueError when the record has a signature that is not one of what it says."""
    if consent.signature is None:
        return
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(consent.signature.public_key))
    try:
        key.verify(base64.b64decode(consent.signature.value), canonical(consent))
    except InvalidSignature:
        raise ValueError("signature: not one of this record, which was changed after it was signed") from None


def sign(consent: Consent, key: bytes) -> Consent:
    """The record with its signature by `key`, a private Ed25519 key in PEM. Raises UserError for another key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UserError(
            "the key is no private key in PEM without a password", "openssl genpkey -algorithm ed25519"
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise UserError("the key is no Ed25519 key", "openssl genpkey -algorithm ed25519")
    bare = consent.model_copy(update={"signature": None})
    signature = Signature(
        public_key=base64.b64encode(private.public_key().public_bytes_raw()).decode(),
        value=base64.b64encode(private.sign(canonical(bare))).decode(),
    )
    return consent.model_copy(update={"signature": signature})
