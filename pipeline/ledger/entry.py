"""One line of the ledger as values, and the bytes it is written and signed as."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
START = "0" * 64  # what the first line names as the one before
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class Spoke(BaseModel):
    """One voice of a run: the consent it rested on (own id and sha256 of the record), weights by name.

    `lines` are the sha256 of its line files that no entry before this one has, so that a book spoken again costs only
    what is new in it.
    """

    model_config = _STRICT

    voice: str = Field(min_length=1)
    consent_id: str | None
    consent_sha256: Sha256 | None
    weights: dict[str, str]
    lines: list[Sha256] = []


def flat_weights(spokes: Sequence[Spoke]) -> tuple[tuple[str, str], ...]:
    """(name, sha256) of the weights of all; of several voices with the voice before each name."""
    several = len(spokes) > 1
    return tuple(
        (f"{spoke.voice}/{name}" if several else name, value)
        for spoke in spokes
        for name, value in spoke.weights.items()
    )


class Output(BaseModel):
    """One file beside the lines, by its path from the project's root, and the number in its label if it has one."""

    model_config = _STRICT

    path: str = Field(min_length=1)
    sha256: Sha256
    label: str | None = None


class Run(BaseModel):
    """What a run made, all that does not change when the same run is done again.

    - place: folder of the narration, or the file of a `say`; only its name where it lies outside of the project
    - script_sha256: of the script's file; text_sha256: of what was said, as in the sidecars
    - manifest_sha256, lines_count: of the narration's manifest, which names every line
    """

    model_config = _STRICT

    kind: Literal["narration", "say"]
    place: str = Field(min_length=1)
    voices: list[Spoke] = Field(min_length=1)
    script_sha256: Sha256 | None
    text_sha256: Sha256
    parameters_sha256: Sha256
    outputs: list[Output]
    manifest_sha256: Sha256 | None = None
    lines_count: int = Field(ge=0, default=0)


class Entry(Run):
    """A run in the ledger: when, which line (from 1), sha256 of the line before without its newline, and who signed.

    The signature is Ed25519 (RFC 8032) in hex over the same JSON without `signature`.
    """

    version: Literal[1] = 1
    number: int = Field(ge=1)
    time: str
    previous: Sha256
    public_key: Sha256
    signature: str = Field(pattern=r"^[0-9a-f]{128}$")


def canonical(values: dict[str, Any]) -> bytes:
    """JSON in ASCII, keys sorted, no spaces."""
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")


def signed_bytes(entry: Entry) -> bytes:
    """What the signature is over."""
    return canonical(entry.model_dump(mode="json", exclude={"signature"}))


def same_run(one: Run, other: Run) -> bool:
    """Whether two runs made the same: time, chain and signature aside, and which lines were new."""
    return _facts(one) == _facts(other)


def _facts(run: Run) -> dict[str, Any]:
    facts = {name: getattr(run, name) for name in Run.model_fields}
    return facts | {"voices": [spoke.model_copy(update={"lines": []}) for spoke in run.voices]}


def digest(value: Any) -> str:
    """Hex sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical({"value": value})).hexdigest()
