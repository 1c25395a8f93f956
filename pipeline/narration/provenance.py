"""What a sidecar says of a narration: voices, weights, text, parameters, and the consent they rest on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.engine import SayOptions, sound_facts
from pipeline.narration.pool import Engines, weights_sha256
from pipeline.narration.request import Request
from voice.consent import CONSENT_FILE
from voice.files import sha256_file
from voice.mastering.tags import Facts


def voices_of(requests: Sequence[Request]) -> list[str]:
    """The voices that speak, in order of their first line."""
    return list(dict.fromkeys(request.voice for request in requests))


def consent_id(root: Path, voice: str) -> str | None:
    """sha256 of the consent record beside a voice's recordings, None where there is none (an imported voice)."""
    path = root / "data" / "raw" / voice / CONSENT_FILE
    return sha256_file(path) if path.is_file() else None


def facts_of(root: Path, engines: Engines, voices: Sequence[str], texts: Sequence[str], options: SayOptions) -> Facts:
    """The facts about a text that `voices` speak; of several, names and hashes are put together."""
    models = {voice: weights_sha256(engines.get(voice)) for voice in voices}
    consents = {voice: found for voice in voices if (found := consent_id(root, voice))}
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\n")
    return Facts(
        voice=", ".join(voices),
        model_sha256=_one(models),
        text_sha256=digest.hexdigest(),
        parameters=sound_facts(engines.get(voices[0]).info, options)["parameters"],
        consent_id=_one(consents) if consents else None,
    )


def more_of(root: Path, engines: Engines, voices: Sequence[str], options: SayOptions) -> dict[str, Any]:
    """What a sidecar has besides: hashes of all weights, and voice by voice where there are several."""
    weights = {voice: sound_facts(engines.get(voice).info, options)["weights"] for voice in voices}
    return {
        "voices": list(voices),
        "weights": weights[voices[0]] if len(voices) == 1 else weights,
        "consents": {voice: consent_id(root, voice) for voice in voices},
    }


def _one(hashes: dict[str, str]) -> str:
    """The only hash, or one over all."""
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
