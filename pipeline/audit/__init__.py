"""The audit: which data made this, what did this become, is all of it as it was, and can it be made again? No torch."""

from __future__ import annotations

from pipeline.audit.backward import Audit, audit
from pipeline.audit.sources import BaseWeights, card_hashes, weights_folder

__all__ = ["Audit", "BaseWeights", "audit", "card_hashes", "weights_folder"]
