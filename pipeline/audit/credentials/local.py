"""A certificate that the project makes itself: enough to tell a changed byte, trusted by nobody else.

A root of the project's own signs one certificate (profile of C2PA: digitalSignature, claim signing and e-mail
protection, X.509 v3, RFC 5280), and its key is never written down. Both are valid for ten years: credentials without a
time stamp end with the certificate.
"""

from __future__ import annotations

import datetime
import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.audit.credentials.library import PURPOSES
from pipeline.private_files import private_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.x509 import CertificateBuilder

FOLDER = ".reprovoice/credentials"
CHAIN, KEY = f"{FOLDER}/chain.pem", f"{FOLDER}/key.pem"
DAYS = 3652
_USES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip


def local_certificate(root: Path) -> tuple[Path, Path]:
    """The paths of chain and key, made when there are none; both or nothing. Raises OSError when that fails."""
    folder = root / FOLDER
    if not os.path.lexists(folder):
        private_folder(folder.parent)
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".credentials."))
        try:
            for name, data in zip((CHAIN, KEY), _make(), strict=True):
                _write(made / Path(name).name, data)
            made.rename(folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another process was first: its own is taken
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return root / CHAIN, root / KEY


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _make() -> tuple[bytes, bytes]:
    """Chain and key in PEM, ECDSA on P-256 with SHA-256."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    above, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    uses = x509.ExtendedKeyUsage([x509.ObjectIdentifier(each) for each in PURPOSES[:2]])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key())
    parent = (
        _builder("project root", above.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .sign(above, hashes.SHA256())
    )
    leaf = (
        _builder("project", own.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(uses, critical=False)
        .add_extension(issuer, critical=False)
        .sign(above, hashes.SHA256())
    )
    chain = leaf.public_bytes(Encoding.PEM) + parent.public_bytes(Encoding.PEM)
    return chain, own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _builder(subject: str, key: EllipticCurvePublicKey) -> CertificateBuilder:
    from cryptography import x509

    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)  # clocks differ a little
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("project root"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = {NameOID.ORGANIZATION_NAME: "reprovoice, self-made", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts.items()])


def _usage(*on: str) -> Any:
    from cryptography import x509

    return x509.KeyUsage(**{name: name in on for name in _USES})
