"""Names of files that anybody may drop: which are refused, which are not finished yet, and what folders are called."""

from __future__ import annotations

import os
import unicodedata
from pathlib import PurePath

UNFINISHED = ("~", ".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download")
BREAKS = ("Cc", "Zl", "Zp")  # Unicode's control characters, line and paragraph separators
LONGEST = 180  # bytes, so that a number and endings fit into a file system's 255


def is_passing(name: str) -> bool:
    """True for names that programs use while they write: they will be renamed, so they are left alone."""
    return name.startswith(".") or name.casefold().endswith(UNFINISHED)


def wrong_name(name: str) -> str | None:
    """Why a file of that name is refused, None when it is not."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if any(unicodedata.category(letter) in BREAKS for letter in name):
        return "its name holds a line break or another control character"
    if len(name.encode()) > LONGEST:
        return f"its name has more than {LONGEST} bytes"
    return None


def plain_name(name: str) -> str:
    """A name for messages: one line, printable whatever bytes it was made of."""
    shown = name.encode("utf-8", "backslashreplace").decode()
    return "".join(f"\\x{ord(each):02x}" if unicodedata.category(each) in BREAKS else each for each in shown)


def folder_name(name: str) -> str:
    """The name of the folder that a script's narration gets: its stem, never empty, hidden, or a way upward."""
    return PurePath(name).stem.replace("/", "_").replace("\0", "_").strip(" .") or "script"


def numbered(name: str, number: int) -> str:
    """`name` for 1, then name-2, name-3, with the number before the ending; cut to what file systems can keep."""
    path = PurePath(name)
    stem, suffix = path.stem, path.suffix[:20]
    while len(os.fsencode(stem + suffix)) > LONGEST:
        stem = stem[:-1]
    return f"{stem}{'' if number == 1 else f'-{number}'}{suffix}"
