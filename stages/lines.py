"""What `evaluate` and `synthesize` share: which texts a voice speaks, and how a spoken line becomes a labelled file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from stages.common import VoicePaths
from stages.params import Texts, VoiceParams
from voice.contracts import Aligned
from voice.errors import UserError
from voice.label import write_labelled
from voice.synthesis import Speech
from voice.tables import read_table
from voice.text import read_text

T = TypeVar("T")


def spoken_lang(voice: VoiceParams, place: VoicePaths) -> str:
    """Language of the texts for a voice: its own, or for `auto` the one of most words of its transcript."""
    if voice.lang != "auto":
        return voice.lang
    counts = Counter(lang for text in read_table(place.aligned, Aligned)["text"] for lang in read_text(text).langs)
    return max(counts, key=lambda lang: (counts[lang], lang == "en"))


def script(texts: Texts, lang: str) -> dict[str, str]:
    """Texts of one language by number: 01, 02, ... Raises UserError when params.yaml has none in it."""
    found: list[str] = getattr(texts, lang)
    if not found:
        raise UserError(f"params.yaml: texts.{lang}: empty", "give evaluate and synthesize sentences to speak")
    return {f"{number:02d}": text for number, text in enumerate(found, start=1)}


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most `most` of `items`, evenly over their order; the same ones whenever the items are the same."""
    if len(items) <= most:
        return list(items)
    return [items[number * len(items) // most] for number in range(most)]


def lexicon_of(place: VoicePaths) -> dict[str, str]:
    """Own pronunciations of a voice and its project, as `align` found them."""
    return dict(json.loads(place.lexicon.read_text(encoding="utf-8")))


def hashes(info: dict[str, Any]) -> dict[str, str]:
    """The sha256 sums among the facts of a Voice."""
    return {name: value for name, value in info.items() if name != "speaking"}


def save_speech(
    path: Path, speech: Speech, voice: str, text: str, info: dict[str, Any], settings: dict[str, Any]
) -> str:
    """Write a spoken line as labelled FLAC with its sidecar; the file's sha256. `info` is that of the Voice."""
    facts = {
        "text": text,
        "weights": hashes(info),
        "parameters": info["speaking"] | settings,
        "seed": speech.seed,
        "seconds": round(speech.seconds, 6),
        "sample_rate": speech.sample_rate,
        "stop": speech.stop,
        "warnings": speech.warnings,
    }
    return str(write_labelled(path, speech.audio, speech.sample_rate, voice, facts)["sha256"])
