"""A chain of certificates and the key of its first, read and checked before anything is signed."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.private_files import check_private
from voice.errors import UserError
from voice.mastering.words import one_line

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_KINDS = "an EC key (P-256, P-384, P-521) or an Ed25519 key is needed"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Signing:
    """Who signs: `chain` in PEM from the signer's own certificate upward, `key` in PEM (PKCS 8), `alg` as in COSE.

    `subject` is the name in the certificate; `own` is true of the certificate that this project made itself.
    """

    chain: bytes
    key: bytes
    alg: str
    subject: str
    own: bool = False


def read_signing(chain: Path, key: Path, own: bool = False) -> Signing:
    """Read and check both. Raises UserError, one line, for files that are not what they should be.

    That is: unreadable, a key that others can read or that needs a password, of another kind, or not that of the first
    certificate; a certificate that is not valid today.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    certificates = read_chain(chain)
    private = _private_key(key)
    leaf = certificates[0]
    der = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*der) != private.public_key().public_bytes(*der):
        raise UserError(f"{key}: not the key of the first certificate in {chain}", "the signer's own must come first")
    _check_days(leaf, chain)
    return Signing(
        chain=b"".join(each.public_bytes(Encoding.PEM) for each in certificates),
        key=private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        alg=_algorithm(private, key),
        subject=one_line(leaf.subject.rfc4514_string()),
        own=own,
    )


def read_chain(path: Path) -> list[Certificate]:
    """The certificates of a PEM file, in order. Raises UserError when there is none."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(_bytes(path))
    except ValueError as error:
        raise UserError(f"{path}: no certificate in PEM", "it starts with -----BEGIN CERTIFICATE-----") from error


def anchors_of(path: Path) -> str:
    """The certificates of a PEM file as those to trust. Raises UserError as `read_chain` does."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(each.public_bytes(Encoding.PEM).decode() for each in read_chain(path))


def _private_key(path: Path) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _bytes(path)
    check_private(path, str(path))
    try:
        return load_pem_private_key(data, password=None)
    except TypeError as error:
        raise UserError(f"{path}: the key needs a password", "give one without") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UserError(f"{path}: no private key in PEM", _KINDS) from error


def _algorithm(private: Any, path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if isinstance(private, Ed25519PrivateKey):
        return "ed25519"
    name = private.curve.name if isinstance(private, EllipticCurvePrivateKey) else ""
    if name not in _CURVES:
        raise UserError(f"{path}: this kind of key does not sign here", _KINDS)
    return _CURVES[name]


def _check_days(leaf: Certificate, path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    if now > leaf.not_valid_after_utc:
        raise UserError(f"{path}: the certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}", "get a new one")
    if now < leaf.not_valid_before_utc:
        raise UserError(
            f"{path}: the certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d} on", "is the clock right?"
        )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}", "give a file in PEM") from error
