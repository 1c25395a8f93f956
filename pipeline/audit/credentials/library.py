"""The maintained C2PA library, kept off the network, and the kinds of file that it can sign.

Its settings are those of c2pa-rs, of which c2pa-python is the binding.
"""

from __future__ import annotations

import importlib.util
import mmap
from pathlib import Path
from typing import Any

from voice.errors import UserError

FORMATS = {".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".m4b": "m4a", ".m4a": "m4a"}  # suffix -> its name there
ANY = "application/octet-stream"  # of other kinds: the manifest lies beside, and is over all bytes
SIDECAR = ".c2pa"
# What a certificate may be for: C2PA claim signing, e-mail protection, document signing.
PURPOSES = ("1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36")
_STORE = bytes.fromhex("63327061 0011 0010 8000 00aa00389b71")  # the UUID of a manifest store, in every kind of file


def require() -> None:
    """Raise UserError unless the library is installed."""
    if not installed():
        raise UserError("content credentials need the package c2pa-python", "pip install 'reprovoice[c2pa]'")


def installed() -> bool:
    """Whether the library is there; it is not loaded."""
    return importlib.util.find_spec("c2pa") is not None


def context(anchors: str = "") -> Any:
    """Settings of one call: nothing is fetched, whatever a file asks for; signers below `anchors` (PEM) are trusted."""
    import c2pa

    trust = {"trust_config": "\n".join(PURPOSES) + "\n"}
    return c2pa.Context.from_dict(
        {
            "version": 1,
            "core": {"allowed_network_hosts": [], "allow_redirects": False, "decode_identity_assertions": False},
            "verify": {
                "ocsp_fetch": False,
                "remote_manifest_fetch": False,
                "verify_after_sign": True,
                "verify_trust": True,
            },
            "builder": {"thumbnail": {"enabled": False}},
            "trust": {**trust, "user_anchors": anchors} if anchors else trust,
        }
    )


def beside(path: Path) -> Path:
    """Where the manifest of a file lies that can hold none."""
    return path.with_name(path.name + SIDECAR)


def carries(path: Path) -> bool:
    """Whether a file holds a manifest store, or one lies beside it. Needs no library, and is true of damaged ones."""
    if beside(path).is_file():
        return True
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.find(_STORE) >= 0
