"""Titles and names made safe for a tag: one line of text, nothing that a player could stumble over."""

from __future__ import annotations

import unicodedata

LONGEST = 240  # bytes of UTF-8: the chapter list of MP4 holds 255 a title


def one_line(text: str, longest: int = LONGEST) -> str:
    """`text` in NFC without control characters, line breaks as spaces, cut at `longest` bytes between characters."""
    normal = unicodedata.normalize("NFC", text)
    # Cc: NUL and line breaks; Cs: halves of characters, which UTF-8 cannot hold; Zl, Zp: further line breaks.
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in normal)
    short = " ".join(plain.split()).encode()[:longest]
    return short.decode("utf-8", "ignore").rstrip()
