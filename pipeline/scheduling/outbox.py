"""Where a claimed script goes: beside its narration in the outbox, or with the reason into the inbox's `failed`.

outbox/<stem>/              one narration; -2, -3 behind the name when it is taken
outbox/<stem>/.claim        whose it is, while it is being made
inbox/failed/<name>         what could not be narrated
inbox/failed/<name>.error.txt
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from pathlib import Path

from pipeline.scheduling.names import folder_name, numbered, plain_name
from voice.files import sha256_file, write_text

FAILED, MARK = "failed", ".claim"


def reserve(outbox: Path, name: str, owner: str) -> Path:
    """The output folder of the script `name`, made now for the claim `owner`, or the one that it made before.

    The folder appears by a rename together with its mark, so that of two claimants one gets the name. Files that a
    process killed in the middle of writing left in it, which have hidden names, are removed.
    """
    if (mine := reserved(outbox, owner)) is not None:
        for part in mine.rglob(".*"):
            if part.name != MARK and not part.is_dir():
                part.unlink()
        return mine
    fresh = outbox / f".{owner}"
    fresh.mkdir(exist_ok=True)
    (fresh / MARK).write_text(owner)
    for number in itertools.count(1):
        target = outbox / (folder_name(name) if number == 1 else f"{folder_name(name)}-{number}")
        if os.path.lexists(target):
            continue
        try:
            return fresh.rename(target)
        except OSError:
            if not os.path.lexists(target):  # else another claimant was quicker
                raise
    raise AssertionError("there is always a next number")


def reserved(outbox: Path, owner: str) -> Path | None:
    """The folder that the claim `owner` made, if it did."""
    for entry in os.scandir(outbox):
        if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                if Path(entry.path, MARK).read_text() == owner:
                    return Path(entry.path)
    return None


def deliver(script: Path, folder: Path) -> Path:
    """Move a narrated script beside its narration and take the mark off. What bears its name there is kept."""
    for number in itertools.count(1):
        target = folder / (script.name if number == 1 else f"script-{numbered(script.name, number - 1)}")
        if not os.path.lexists(target) or (target.is_file() and sha256_file(target) == sha256_file(script)):
            break
    _move(script, target)
    unmark(folder)
    return target


def unmark(folder: Path) -> None:
    """The folder is finished."""
    (folder / MARK).unlink(missing_ok=True)


def refuse(path: Path, inbox: Path, reason: str) -> Path:
    """Move what cannot be narrated (a link itself, not what it points to) into `failed`, with the reason in a line."""
    failed = inbox / FAILED
    failed.mkdir(exist_ok=True)
    for number in itertools.count(1):
        target = failed / numbered(path.name, number)
        with contextlib.suppress(FileExistsError):
            target.open("x").close()  # the name is ours; a rename alone would replace another script of this name
            break
    note = f"{numbered(plain_name(target.name), 1)}.error.txt"
    write_text(failed / note, " ".join(reason.split()) + "\n")  # first, so that no script lies there without a reason
    path.rename(target)
    return target


def _move(source: Path, target: Path) -> None:
    """A rename, or between file systems a whole copy first."""
    with contextlib.suppress(OSError):
        source.replace(target)
        return
    part = target.with_name(".script.part")
    shutil.copyfile(source, part)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    source.unlink()
