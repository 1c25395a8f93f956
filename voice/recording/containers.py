"""What kind of audio file a file is, by its first bytes, and whether its own lengths say that its end is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

SUFFIXES = {
    "WAV": (".wav",),
    "W64": (".w64",),
    "FLAC": (".flac",),
    "OGG": (".ogg", ".oga", ".opus"),
    "MP3": (".mp3",),
    "AIFF": (".aiff", ".aif"),
    "AU": (".au",),
    "CAF": (".caf",),
    "MP4": (".m4a", ".m4b", ".mp4", ".mov"),
    "MATROSKA": (".webm", ".mka", ".mkv"),
    "AAC": (".aac",),
    "ASF": (".wma",),
}
_ASF = bytes.fromhex("3026b2758e66cf11")
_W64 = bytes.fromhex("726966662e91cf11")
_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_UNKNOWN = (0, 0xFFFFFFFF)  # lengths of a file that was written as a stream
_LAST = 1 << 17  # bytes at the end that hold at least one whole Ogg page


def sniff(path: Path) -> str:
    """A key of SUFFIXES, or "" for a file that begins like none of them."""
    with path.open("rb") as file:
        head = file.read(16)
        if head[:3] == b"ID3":  # a tag that stands before MP3, and sometimes before AAC or FLAC
            file.seek(_tag_end(head))
            head = file.read(16)
            if not _magic(head):
                return "MP3"
    return _magic(head)


def _tag_end(head: bytes) -> int:
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _magic(head: bytes) -> str:
    kinds = {b"fLaC": "FLAC", b"OggS": "OGG", b".snd": "AU", b"caff": "CAF", b"\x1a\x45\xdf\xa3": "MATROSKA"}
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return "WAV"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "AIFF"
    if head[:8] in (_W64, _ASF):
        return "W64" if head[:8] == _W64 else "ASF"
    if head[4:8] in _ATOMS:
        return "MP4"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "AAC" if head[1] & 0xF6 == 0xF0 else "MP3"
    return kinds.get(head[:4], "")


def missing_end(path: Path, kind: str) -> str:
    """How much of the file is gone by its own account ("1000 of 4000 bytes"), or "" when nothing is known to be.

    A FLAC or Matroska file tells only when it is decoded; an MP3 without a Xing header and raw AAC never tell.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if kind == "MP4":
            return _atoms(file, size)
        if kind == "OGG":
            return "" if _ends_stream(file, size) else "the last page of the Ogg stream is missing"
        promised = _LENGTHS.get(kind, _unknown)(file)
    return f"{size} of {promised} bytes" if promised > size + 1 else ""


def _unknown(_: BinaryIO) -> int:
    return 0


def _riff(file: BinaryIO) -> int:
    """Bytes a WAV should have; 0 when it does not know. RF64 keeps its length in a chunk of its own."""
    head = file.read(28)
    if head[:4] == b"RF64":
        return int.from_bytes(head[20:28], "little") + 8 if head[12:16] == b"ds64" else 0
    length = int.from_bytes(head[4:8], "big" if head[:4] == b"RIFX" else "little")
    return 0 if length in _UNKNOWN else length + 8


def _form(file: BinaryIO) -> int:
    length = int.from_bytes(file.read(8)[4:], "big")
    return 0 if length in _UNKNOWN else length + 8


def _w64(file: BinaryIO) -> int:
    return int.from_bytes(file.read(24)[16:], "little")


def _au(file: BinaryIO) -> int:
    head = file.read(12)
    length = int.from_bytes(head[8:], "big")
    return 0 if length in _UNKNOWN else int.from_bytes(head[4:8], "big") + length


def _caf(file: BinaryIO) -> int:
    """The end of the chunk that reaches farthest; a length of -1 means that the chunk was written as a stream."""
    end, size = 8, file.seek(0, 2)
    while end <= size:
        file.seek(end)
        head = file.read(12)
        length = int.from_bytes(head[4:], "big", signed=True)
        if len(head) < 12 or length < 0:
            break
        end += 12 + length
    return end


def _xing(file: BinaryIO) -> int:
    """Bytes an MP3 should have by the Xing or Info header in its first frame; 0 without one."""
    head = file.read(16)
    start = _tag_end(head) if head[:3] == b"ID3" else 0
    file.seek(start)
    frame = file.read(256)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    flags = int.from_bytes(frame[at + 4 : at + 8], "big") if at >= 0 else 0
    if not flags & 2:
        return 0
    place = at + 8 + (4 if flags & 1 else 0)
    stream = int.from_bytes(frame[place : place + 4], "big")
    return start + stream - 2048  # encoders differ on whether the header's own frame counts


_LENGTHS = {"WAV": _riff, "AIFF": _form, "W64": _w64, "AU": _au, "CAF": _caf, "MP3": _xing}


def _ends_stream(file: BinaryIO, size: int) -> bool:
    """Whether the last Ogg page is whole and marked as the last one."""
    file.seek(max(0, size - _LAST))
    data = file.read()
    at = data.rfind(b"OggS\x00")
    if at < 0 or len(data) < at + 27:
        return False
    segments = data[at + 26]
    body = sum(data[at + 27 : at + 27 + segments])
    return bool(data[at + 5] & 4) and len(data) >= at + 27 + segments + body


def _atoms(file: BinaryIO, size: int) -> str:
    """Walk the top level of an MP4: every part must lie inside the file, and the index `moov` must be there."""
    names = set()
    for name, end in _walk(file, size):
        names.add(name)
        if end > size:
            return f"{size} of {end} bytes"
    return "" if b"moov" in names else "its index is missing"


def _walk(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        end = at + length if length else size
        yield head[4:8], end
        if end <= at:
            return
        at = end
