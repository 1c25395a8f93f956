"""The credentials of a file, checked against its bytes, and whether anybody vouches for their signer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.audit.credentials.claim import LABEL
from pipeline.audit.credentials.library import ANY, FORMATS, beside, carries, context, require
from voice.mastering.words import one_line

_UNTRUSTED, _EXPIRED = "signingCredential.untrusted", "signingCredential.expired"
_TOLD = {
    "trusted": "valid, signed by {signer}, who is trusted here",
    "valid": "valid, signed by {signer}, for whom nobody vouches here",
    "expired": "as it was signed by {signer}, whose certificate expired since",
    "changed": "changed after it was signed by {signer}",
    "damaged": "not readable: {why}",
}
State = Literal["trusted", "valid", "expired", "changed", "damaged"]


@dataclass(frozen=True)
class Credentials:
    """What a file's credentials are worth.

    - state: trusted or valid (nothing changed since it was signed, and the signer is trusted here, or is not), expired
      (the same, but the certificate is over, and no time stamp says when it was used), changed, damaged
    - codes: the library's, for what is wrong; facts: our own assertion, as it stands there, believed or not
    """

    state: State
    signer: str
    codes: tuple[str, ...]
    facts: dict[str, Any]

    @property
    def told(self) -> str:
        """In words."""
        return _TOLD[self.state].format(signer=self.signer or "somebody", why=", ".join(self.codes))


def read_credentials(path: Path, anchors: str = "") -> Credentials | None:
    """The credentials in a file or beside it, None where it carries none; `anchors` (PEM) are signers to trust.

    Nothing is fetched. Raises UserError where there are some and the library is missing, OSError for no file.
    """
    if not carries(path):
        return None
    require()
    import c2pa

    store = beside(path)
    try:
        # A manifest beside is over all bytes of the file, so that its kind does not matter.
        apart = store.read_bytes() if store.is_file() else None
        kind = ANY if apart is not None else FORMATS.get(path.suffix.lower(), ANY)
        with path.open("rb") as file, c2pa.Reader(kind, file, apart, context=context(anchors)) as reader:
            return _judged(reader)
    except (c2pa.C2paError, KeyError) as error:  # KeyError: which manifest counts cannot be told
        return Credentials("damaged", "", (one_line(str(error)),), {})


def _judged(reader: Any) -> Credentials:
    results = reader.get_validation_results() or {}
    failures = (results.get("activeManifest") or {}).get("failure") or []
    codes = tuple(dict.fromkeys(one_line(str(each.get("code"))) for each in failures))
    active = reader.get_active_manifest() or {}
    facts: Any = next((each["data"] for each in active.get("assertions", []) if each.get("label") == LABEL), {})
    signature = active.get("signature_info") or {}
    names = (signature.get("common_name"), signature.get("issuer"))
    return Credentials(
        state=_state(str(reader.get_validation_state()), codes),
        signer=one_line(" of ".join(str(name) for name in names if name)),
        codes=codes,
        facts=facts if isinstance(facts, dict) else {},
    )


def _state(said: str, codes: tuple[str, ...]) -> State:
    wrong = set(codes) - {_UNTRUSTED}
    if said == "Trusted" and not codes:
        return "trusted"
    if said == "Valid" and not wrong:
        return "valid"
    return "expired" if wrong == {_EXPIRED} else "changed"


def as_json(facts: dict[str, Any]) -> str:
    """An assertion in one form, to compare."""
    return json.dumps(facts, sort_keys=True)
