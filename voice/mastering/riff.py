"""A streamed wav file with tags: INFO list and AIGC chunk before the samples, RF64 when it outgrows 4 GiB."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_INFO = {
    "title": "INAM",
    "artist": "IART",
    "album": "IPRD",
    "genre": "IGNR",
    "date": "ICRD",
    "track": "IPRT",
    "copyright": "ICOP",
    "language": "ILNG",
    "comment": "ICMT",
    "AIGC": "AIGC",
}
LIMIT = 0xFFFFFFFF  # the largest size that a RIFF header can state


def write_riff(file: BinaryIO, blocks: Iterable[NDArray[np.int16]], rate: int, tags: Mapping[str, str]) -> int:
    """Write mono 16 bit samples to `file`, which can seek and is empty; return how many samples.

    A chunk JUNK keeps the place of `ds64` (EBU Tech 3306), so that the size need not be known before the end.
    """
    head = b"RIFF\0\0\0\0WAVE" + _chunk(b"JUNK", bytes(28))
    head += _chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16))
    head += _tags(tags) + b"data\0\0\0\0"
    file.write(head)
    size = 0
    for block in blocks:
        size += file.write(np.ascontiguousarray(block, "<i2").tobytes())
    whole = len(head) - 8 + size
    if whole > LIMIT:
        file.seek(0)
        file.write(b"RF64" + b"\xff" * 4 + b"WAVE" + _chunk(b"ds64", struct.pack("<QQQI", whole, size, size // 2, 0)))
        size_field = b"\xff" * 4
    else:
        file.seek(4)
        file.write(struct.pack("<I", whole))
        size_field = struct.pack("<I", size)
    file.seek(len(head) - 4)
    file.write(size_field)
    return size // 2


def _tags(tags: Mapping[str, str]) -> bytes:
    # Readers take INFO for anything; UTF-8 is what FFmpeg and libsndfile do.
    known = [(_INFO[name].encode(), value.encode() + b"\0") for name, value in tags.items() if name in _INFO]
    info = _chunk(b"LIST", b"INFO" + b"".join(_chunk(name, value) for name, value in known)) if known else b""
    if "AIGC" not in tags:
        return info
    value = tags["AIGC"].encode()
    # A space more is the same JSON; libsndfile loses its way in RF64 behind an unknown chunk of odd length.
    return info + _chunk(b"AIGC", value + b" " * (len(value) % 2))


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
