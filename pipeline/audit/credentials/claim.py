"""What the credentials of a sound say: made by a machine, when and by what, and the hashes that the ledger has.

C2PA 2.x: a claim with the action c2pa.created and IPTC's digital source type for the output of a trained model, and an
assertion of our own. No text, no person, no path. Nothing is said of training on the sound: no consent record is.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from pipeline.ledger.find import Found

LABEL = "reprovoice.speech"  # of our own assertion; a domain of its own the project has not
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def definition(facts: dict[str, Any], made: str) -> dict[str, Any]:
    """The manifest as the library takes it. `facts` are those of `speech_facts`; `made` is the time, as in RFC 3339."""
    agent = {"name": "reprovoice", "version": version("reprovoice")}
    action = {"action": "c2pa.created", "when": made, "softwareAgent": agent, "digitalSourceType": SOURCE}
    return {
        "claim_generator_info": [agent],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            {"label": LABEL, "data": facts, "created": True},
        ],
    }


def speech_facts(found: Found, label: str | None) -> dict[str, Any]:
    """Our own assertion, from the entry of the ledger that has the bytes; `label` is the number in the file's label.

    sha256 is that of the sound before it was signed; of a line the other hashes are those of its whole narration.
    """
    facts = {
        "version": 1,
        "sha256": found.sha256,
        "part": "line" if found.how == "line" else "whole",
        "label": label,
        "voices": [
            _known({
                "name": spoke.voice, "consent": spoke.consent_id, "consent_sha256": spoke.consent_sha256,
                "weights": spoke.weights,
            })
            for spoke in found.voices
        ],
        "text_sha256": found.text_sha256,
        "script_sha256": found.script_sha256,
        "parameters_sha256": found.parameters_sha256,
        "ledger": {"line": found.number, "public_key": found.public_key},
    }  # fmt: skip
    return _known(facts)


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
