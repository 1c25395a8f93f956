"""Taking a consent back: which voices it concerns, what was derived from its recordings, and removing that."""

from __future__ import annotations

from pipeline.revocation.act import Revocation, delete_derived, mark_revoked

__all__ = ["Revocation", "delete_derived", "mark_revoked"]
