"""What FFmpeg does not write into an audio book of MP4: a free-form tag and, for this brand, the cover.

The box `moov` lies at the end of the file, so it may grow without a sample moving. QuickTime File Format, "boxes".
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from voice.mastering.cover import Cover

_PATH = (b"moov", b"udta", b"meta", b"ilst")
_SKIP = {b"meta": 4}  # version and flags before its boxes
_TEXT, _PICTURES = 1, {"image/jpeg": 13, "image/png": 14}


def add_items(file: BinaryIO, text: dict[str, str], cover: Cover | None) -> None:
    """Append items com.apple.iTunes:NAME and the cover to the list of tags in `file`, which reads, writes and seeks.

    Raises ValueError when the file's last box is not a `moov` with a list of tags.
    """
    start, moov = _last_box(file)
    items = b"".join(_free_form(name, value) for name, value in text.items())
    if cover is not None:
        items += _box(b"covr", _data(cover.data, _PICTURES[cover.mime]))
    file.seek(start)
    file.write(_grown(moov, _PATH, items))
    file.truncate()


def _last_box(file: BinaryIO) -> tuple[int, bytes]:
    end = file.seek(0, 2)
    position = 0
    while position < end:
        file.seek(position)
        size, name = struct.unpack(">I4s", file.read(8))
        if size == 1:  # a larger one states its size in 64 bits
            size = struct.unpack(">Q", file.read(8))[0]
        if size < 8:
            break
        if position + size == end and name == _PATH[0]:
            file.seek(position)
            return position, file.read(size)
        position += size
    raise ValueError("no moov box at the end")


def _grown(box: bytes, path: tuple[bytes, ...], items: bytes) -> bytes:
    """`box`, which is the first of `path`, with `items` at the end of the last of `path` inside it."""
    inside = box[8:]
    if len(path) > 1:
        at = _SKIP.get(path[0], 0)
        while at + 8 <= len(inside):
            size, name = struct.unpack(">I4s", inside[at : at + 8])
            if name == path[1]:
                grown = _grown(inside[at : at + size], path[1:], items)
                return _box(path[0], inside[:at] + grown + inside[at + size :])
            if size < 8:
                break
            at += size
        raise ValueError(f"no {path[1].decode()} in {path[0].decode()}")
    return _box(path[0], inside + items)


def _free_form(name: str, value: str) -> bytes:
    mean = _box(b"mean", bytes(4) + b"com.apple.iTunes")
    return _box(b"----", mean + _box(b"name", bytes(4) + name.encode()) + _data(value.encode(), _TEXT))


def _data(value: bytes, kind: int) -> bytes:
    return _box(b"data", struct.pack(">II", kind, 0) + value)


def _box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, name) + data
