"""Files of `.reprovoice/` that are their owner's alone, and in no Git."""

from __future__ import annotations

from pathlib import Path

from voice.errors import UserError


def private_folder(folder: Path) -> None:
    """Make the folder for keys; what lies in it is kept out of Git, also in a project whose own list lacks it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def check_private(path: Path, shown: str) -> None:
    """Raise UserError, naming it as `shown`, for a file that others than its owner can read or write."""
    if (mode := path.stat().st_mode & 0o777) & 0o077:
        raise UserError(f"{shown}: others can read it (mode {mode:04o})", f"chmod 600 {shown}")
