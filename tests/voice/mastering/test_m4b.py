"""The boxes of MP4: items are appended where they belong, and other files are refused untouched."""

from __future__ import annotations

import io
import struct

import pytest

from voice.mastering.m4b import add_items


def box(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I4s", len(data) + 8, name) + data


def movie(items: bytes = b"") -> bytes:
    meta = box(b"meta", bytes(4) + box(b"hdlr", b"x" * 25) + box(b"ilst", items))
    return box(b"moov", box(b"mvhd", bytes(20)) + box(b"udta", box(b"Xyz ") + meta + box(b"chpl", b"c" * 9)))


def test_an_item_grows_every_box_around_it_and_nothing_else() -> None:
    file = io.BytesIO(box(b"ftyp", b"M4B ") + box(b"mdat", b"sound") + movie(box(b"stik", b"1")))
    add_items(file, {"AIGC": '{"Label":"1"}'}, None)
    item = box(
        b"----",
        box(b"mean", bytes(4) + b"com.apple.iTunes")
        + box(b"name", bytes(4) + b"AIGC")
        + box(b"data", struct.pack(">II", 1, 0) + b'{"Label":"1"}'),
    )
    assert file.getvalue() == box(b"ftyp", b"M4B ") + box(b"mdat", b"sound") + movie(box(b"stik", b"1") + item)


def test_a_sound_box_with_a_long_size_is_passed_over() -> None:
    long = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"sound"
    file = io.BytesIO(long + movie())
    add_items(file, {"A": "b"}, None)
    assert file.getvalue().startswith(long) and b"com.apple.iTunes" in file.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", movie() + box(b"free"), box(b"moov", box(b"mvhd")), box(b"moov", box(b"udta", b"\0" * 8)), b"\0" * 20],
)
def test_a_file_of_another_build_is_refused_and_untouched(data: bytes) -> None:
    file = io.BytesIO(data)
    with pytest.raises(ValueError, match="no "):
        add_items(file, {"A": "b"}, None)
    assert file.getvalue() == data
