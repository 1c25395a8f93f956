"""Is the file that lies there what would be made now? Then it need not be made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import soxr

from voice.files import sha256_file
from voice.label import sidecar
from voice.mastering.chapters import Chapter
from voice.mastering.encode import Written

if TYPE_CHECKING:
    from pipeline.narration.sound import Finish

# To be raised by whoever changes what a stream, its loudness or its file come out as.
VERSION = 1


def recipe_of(
    digest: str, rate: int, finish: Finish, tags: dict[str, str], chapters: Sequence[Chapter], more: dict[str, Any]
) -> str:
    """sha256 of all that decides a file but its kind: speech, marks, loudness, cover, tags, facts, codecs."""
    parts = [
        VERSION, digest, rate, finish.loudness, tags, [asdict(chapter) for chapter in chapters], more,
        [hashlib.sha256(wave.tobytes()).hexdigest() for wave in (finish.mark.lead(rate), finish.mark.tail(rate))],
        finish.mark.name, finish.watermark.name if finish.watermark else None,
        hashlib.sha256(finish.cover.data).hexdigest() if finish.cover else None,
        asdict(finish.facts), [av.__version__, soxr.__version__],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def standing(path: Path, recipe: str) -> Written | None:
    """The file at `path`, if its sidecar says that it was made by `recipe` and its bytes are those left then."""
    try:
        facts = json.loads(sidecar(path).read_text(encoding="utf-8"))
        if facts["made_of"] != recipe or facts["sha256"] != sha256_file(path):
            return None
        return Written(path, float(facts["seconds"]), int(facts["sample_rate"]), facts["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
