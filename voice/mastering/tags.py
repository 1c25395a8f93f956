"""The label "made by a machine" and a book's names, as tags of each kind of file.

GB 45438-2025, appendix E: a metadata field AIGC that holds JSON. Where it lies, as the practice guide to the standard
places it: mp3 an ID3v2 frame TXXX:AIGC, flac and opus a Vorbis comment AIGC, m4b a free-form item
com.apple.iTunes:AIGC, wav a RIFF chunk AIGC (and the same in the INFO list, where common readers look). Beside it
stands the comment of `voice.label`, which people read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from voice.errors import UserError
from voice.files import sha256_file, write_json
from voice.label import label_text, sidecar
from voice.mastering.words import one_line

AIGC = "AIGC"
NAMES = ("title", "artist", "album", "album_artist", "composer", "genre", "date", "track", "copyright", "language")
GENERATED = "1"  # the value of Label for content that is generated; 2 and 3 are for what only may be
_DEMUXERS = {".wav": "wav", ".flac": "flac", ".opus": "ogg", ".mp3": "mp3", ".m4b": "mov", ".m4a": "mov"}


@dataclass(frozen=True)
class Label:
    """`voice` spoke; `producer` is the name or code of who answers for it; `produce_id` the number of this content.

    The propagator is whoever spreads the file; it is empty until somebody does.
    """

    voice: str
    produce_id: str
    producer: str = "reprovoice"
    propagator: str = ""
    propagate_id: str = ""

    def notice(self) -> str:
        """The sentence for people, as in `voice.label`."""
        return one_line(label_text(self.voice))

    def aigc(self) -> str:
        """The value of the field AIGC: JSON in ASCII, because INFO lists know no encoding."""
        fields = {
            "Label": GENERATED,
            "ContentProducer": one_line(self.producer),
            "ProduceID": one_line(self.produce_id),
            "ReservedCode1": "",
            "ContentPropagator": one_line(self.propagator),
            "PropagateID": one_line(self.propagate_id),
            "ReservedCode2": "",
        }
        return json.dumps(fields, separators=(",", ":"))


@dataclass(frozen=True)
class Facts:
    """What made a file: hashes of the voice's weights and of the text, parameters, the consent it rests on."""

    voice: str
    model_sha256: str
    text_sha256: str
    parameters: Mapping[str, Any]
    consent_id: str | None

    def produce_id(self) -> str:
        """A number of this content, 32 hex digits, the same whenever the same is made again."""
        parts = [self.voice, self.model_sha256, self.text_sha256, dict(self.parameters), self.consent_id]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    def label(self, producer: str = "reprovoice") -> Label:
        """The label of a file made from these facts."""
        return Label(self.voice, self.produce_id(), producer)


def write_facts(path: Path, facts: Facts, label: Label, **more: Any) -> dict[str, Any]:
    """Write the facts about the audio file `path` beside it (NAME.json) and return them; `more` adds to them."""
    full = {
        **more,
        "label": label.notice(),
        AIGC: json.loads(label.aigc()),
        "voice": facts.voice,
        "model_sha256": facts.model_sha256,
        "text_sha256": facts.text_sha256,
        "parameters": dict(facts.parameters),
        "consent_id": facts.consent_id,
        "sha256": sha256_file(path),
    }
    write_json(sidecar(path), full)
    return full


def metadata(tags: Mapping[str, str], label: Label) -> dict[str, str]:
    """All tags of a file by FFmpeg's names, the label's last. Raises ValueError for a name not in NAMES."""
    if unknown := sorted(set(tags) - set(NAMES)):
        raise ValueError(f"tags {', '.join(unknown)}, known are {', '.join(NAMES)}")
    clean = {name: one_line(tags[name]) for name in NAMES if name in tags}
    return {name: value for name, value in clean.items() if value} | {"comment": label.notice(), AIGC: label.aigc()}


def read_tags(path: Path) -> dict[str, str]:
    """The tags of an audio file by lower-case names. Raises UserError for another kind or a file that is damaged."""
    if (kind := _DEMUXERS.get(path.suffix.lower())) is None:
        raise UserError(f"{path}: no tags known for {path.suffix or 'no suffix'}", f"one of {', '.join(_DEMUXERS)}")
    try:
        with path.open("rb") as file, av.open(file, format=kind, metadata_errors="replace") as container:
            found = [container.metadata, *(stream.metadata for stream in container.streams.audio)]
    except (FFmpegError, OSError, ValueError) as error:
        raise UserError(f"{path}: not readable as audio", "make or copy it again") from error
    return {name.lower(): value for part in found for name, value in part.items()}


def read_aigc(path: Path) -> dict[str, str] | None:
    """The AIGC field of an audio file, None when it has none or one that is no JSON object."""
    try:
        value = json.loads(read_tags(path).get(AIGC.lower(), ""))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
