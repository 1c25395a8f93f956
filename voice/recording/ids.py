"""Ids of recordings, from names that may hold anything a file system allows."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath


def recording_ids(files: Sequence[str]) -> dict[str, str]:
    """Ids of files by their paths in the voice's folder: small letters, other signs a dash, no suffix.

    Of files that would share an id, the one whose name is that id keeps it; the others get a hash of their path.
    """
    plain = {file: re.sub(r"[^a-z0-9]+", "-", _stem(file).lower()).strip("-") or "recording" for file in files}
    sharing, stems = Counter(plain.values()), Counter(map(_stem, files))
    taken = set(plain.values())
    ids: dict[str, str] = {}
    for file, name in plain.items():
        if sharing[name] == 1 or (_stem(file) == name and stems[name] == 1):
            ids[file] = name
            continue
        digest, length = hashlib.sha256(os.fsencode(file)).hexdigest(), 6
        while f"{name}-{digest[:length]}" in taken:
            length += 2
        ids[file] = f"{name}-{digest[:length]}"
        taken.add(ids[file])
    return ids


def _stem(file: str) -> str:
    return PurePosixPath(file).with_suffix("").as_posix()
