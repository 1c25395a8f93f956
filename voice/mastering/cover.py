"""The picture on the cover: a JPEG or PNG that opens, checked before hours of audio are encoded."""

from __future__ import annotations

import base64
import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from voice.errors import UserError

_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_MOST = 8 << 20  # bytes; a FLAC picture block ends at 16 MiB
_WIDEST = 6000  # pixels
_FRONT = 3  # picture type of ID3 and FLAC: cover (front)


@dataclass(frozen=True)
class Cover:
    """The file's bytes as they are, its type, width and height in pixels."""

    data: bytes
    mime: str
    width: int
    height: int


def read_cover(path: Path) -> Cover:
    """Read and check a picture. Raises UserError when it is missing, no JPEG or PNG, damaged or too large."""
    if not path.is_file():
        raise UserError(f"{path}: no such picture", "give a JPEG or PNG file")
    size = path.stat().st_size
    if size > _MOST:
        raise UserError(f"{path}: {size} bytes, the limit is {_MOST}", "save it smaller; 1600 x 1600 pixels are plenty")
    return cover_of(path.read_bytes(), str(path))


def cover_of(data: bytes, name: str = "cover") -> Cover:
    """`read_cover` for bytes; `name` is what a message calls them."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=list(_TYPES)) as image:
            warnings.simplefilter("ignore")
            width, height = image.size
            mime = _TYPES[image.format or ""]
            if max(width, height) > _WIDEST:
                raise UserError(f"{name}: {width} x {height} pixels, the limit is {_WIDEST}", "save it smaller")
            image.load()
    except (OSError, ValueError, SyntaxError, KeyError, Image.DecompressionBombError) as error:
        raise UserError(f"{name}: not a whole JPEG or PNG picture", "save it again as one of them") from error
    return Cover(data, mime, width, height)


def as_comment(cover: Cover) -> str:
    """The Vorbis comment METADATA_BLOCK_PICTURE: FLAC's picture block in base64 (RFC 9639, 8.8), for Ogg."""
    mime = cover.mime.encode()
    head = struct.pack(">II", _FRONT, len(mime)) + mime + struct.pack(">I", 0)
    shape = struct.pack(">IIIII", cover.width, cover.height, 24, 0, len(cover.data))
    return base64.b64encode(head + shape + cover.data).decode()
