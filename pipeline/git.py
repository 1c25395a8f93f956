"""What Git knows of the project: the present commit, what differs from it, files of other commits."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PATHS = (".", ":(exclude).cache")  # caches are the project's own, whether Git is told to ignore them or not
SHALLOW = "the clone is shallow: older versions are not known here"


@dataclass(frozen=True)
class Git:
    """A work tree; paths are relative to the project's `root`, which may lie deeper than the work tree's top."""

    root: Path

    def text(self, *arguments: str) -> str | None:
        """What a Git command prints, None when it fails."""
        done = self._run(*arguments)
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def head(self) -> str | None:
        """The present commit, None before the first."""
        found = self.text("rev-parse", "--verify", "--quiet", "HEAD")
        return found.strip() if found else None

    def shallow(self) -> bool:
        """Whether history was cut off."""
        return (self.text("rev-parse", "--is-shallow-repository") or "").strip() == "true"

    def dirty(self) -> tuple[list[str], str | None]:
        """Files that differ from the commit, and a sha256 over all differences; none when the tree is clean."""
        listed = self.text("status", "--porcelain", "-z", "--untracked-files=all", "--", *PATHS) or ""
        entries = [entry for entry in listed.split("\0") if len(entry) > 3]
        if not entries:
            return [], None
        diff = self._run("diff", "HEAD", "--binary", "--no-color", "--no-ext-diff", "--", *PATHS)
        digest = hashlib.sha256(diff.stdout)
        top = Path((self.text("rev-parse", "--show-toplevel") or str(self.root)).strip())
        for entry in entries:
            if entry.startswith("??") and (top / entry[3:]).is_file():
                digest.update(f"\n{entry[3:]} {hashlib.sha256((top / entry[3:]).read_bytes()).hexdigest()}".encode())
        return [entry[3:] for entry in entries], digest.hexdigest()

    def commits(self, path: str) -> list[tuple[str, str, str]]:
        """(commit, date, first line) of every commit of any branch or tag that changed `path`, newest first."""
        listed = self.text("log", "--all", "--full-history", "--format=%H%x09%cI%x09%s", "--", path) or ""
        rows = [line.split("\t", 2) for line in listed.splitlines()]
        return [(row[0], row[1], row[2]) for row in rows if len(row) == 3]

    def blobs(self, names: Sequence[tuple[str, str]]) -> list[tuple[str, bytes] | None]:
        """(blob id, bytes) for each (commit, path), None where that commit has no such file; one process for all."""
        if not names:
            return []
        asked = "".join(f"{commit}:./{path}\n" for commit, path in names)
        data = self._run("cat-file", "--batch", given=asked.encode()).stdout
        found: list[tuple[str, bytes] | None] = []
        place = 0
        for _ in names:
            end = data.index(b"\n", place)
            fields = data[place:end].rsplit(b" ", 2)
            place = end + 1
            if fields[-1] == b"missing" or len(fields) < 3 or fields[1] != b"blob":
                found.append(None)
                if fields[-1] != b"missing" and len(fields) == 3:
                    place += int(fields[2]) + 1
                continue
            size = int(fields[2])
            found.append((fields[0].decode(), data[place : place + size]))
            place += size + 1
        return found

    def _run(self, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["git", *arguments], cwd=self.root, input=given, capture_output=True, check=False)


def open_git(root: Path) -> Git | None:
    """The Git work tree that holds `root`, None when there is none, or no Git."""
    git = Git(root)
    try:
        return git if (git.text("rev-parse", "--is-inside-work-tree") or "").strip() == "true" else None
    except FileNotFoundError:
        return None
