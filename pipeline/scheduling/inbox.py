"""One visit to an inbox: take every script that lies still, narrate it once, put it away. No Prefect in here."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.scheduling.claims import DEATHS, WORKING, Claim, abandoned, take
from pipeline.scheduling.names import is_passing, plain_name, wrong_name
from pipeline.scheduling.outbox import FAILED, deliver, refuse, reserve, reserved, unmark
from voice.errors import UserError

SETTLE_SECONDS = 3.0


class MachineError(Exception):
    """The script is not to blame (a full disk, say): keep it, and try again at the next visit."""


@dataclass(frozen=True)
class Handled:
    """What became of one file: narrated, failed, refused, ignored, or waits.

    `output` is the folder of its narration, `note` says why it has none, `report` is that of the narration.
    """

    script: str
    outcome: str
    output: str = ""
    note: str = ""
    report: dict[str, Any] = field(default_factory=dict)


# narrate(script, out) renders into `out` and returns its report.
# UserError: this script cannot be narrated; MachineError: nothing can be now.
Narrate = Callable[[Path, Path], dict[str, Any]]


@dataclass(frozen=True)
class Inbox:
    """Two folders, and the function that narrates one script."""

    inbox: Path
    outbox: Path
    narrate: Narrate
    settle: float = SETTLE_SECONDS

    def visit(self, may_start: Callable[[], bool] = lambda: True) -> Iterator[Handled]:
        """Yield what became of each file, those first that a dead process had taken.

        `may_start()` is asked before every script; after a False nothing more is taken. Many processes may visit one
        inbox at once. After a MachineError or OSError the visit ends with that script waiting.
        """
        for folder in (self.inbox, self.outbox):
            folder.mkdir(parents=True, exist_ok=True)
        for claim in self._claims(may_start):
            done = self._work(claim)
            if done is not None:
                yield done
            if done is not None and done.outcome == "waits":
                return
        if may_start():
            yield from self._turn_away()

    def _claims(self, may_start: Callable[[], bool]) -> Iterator[Claim]:
        for claim in abandoned(self.inbox):
            if not may_start():
                claim.release()
                return
            yield claim
        for name in settled(self.inbox, self.settle):
            if not may_start():
                return
            if (taken := take(self.inbox, name)) is not None:
                yield taken

    def _work(self, claim: Claim) -> Handled | None:
        """Narrate a claimed script and put it away. None when that was done already."""
        script = claim.script
        if script is None:  # its claimant died after it moved the script beside the narration
            if (folder := reserved(self.outbox, claim.id)) is not None:
                unmark(folder)
            claim.end()
            return None
        name = plain_name(script.name)
        try:
            reason = _unreadable(script)
            if reason is None and not claim.begin():
                reason = f"{name}: its narration ended its process {DEATHS} times (look for its cause)"
            if reason is not None:
                return self._refuse(claim, script, "refused", reason)
            folder = reserve(self.outbox, script.name, claim.id)
            try:
                report = self.narrate(script, folder)
            except UserError as error:
                # The message names the claimed file; people know it by the name they gave it.
                reason = " ".join(str(error).replace(str(script), name).split())
                _drop(folder)
                return self._refuse(claim, script, "failed", reason)
            deliver(script, folder)
            claim.end()
            return Handled(name, "narrated", str(folder), doubts(report).replace(str(script), name), report)
        except (OSError, MachineError) as error:
            return Handled(name, "waits", note=" ".join(str(error).split()))
        finally:
            claim.release()

    def _refuse(self, claim: Claim, script: Path, outcome: str, reason: str) -> Handled:
        refuse(script, self.inbox, reason)
        claim.end()
        return Handled(plain_name(script.name), outcome, note=reason)

    def _turn_away(self) -> Iterator[Handled]:
        """Refuse links and devices; leave folders where they are."""
        for name in sorted(os.listdir(self.inbox)):
            if is_passing(name) or name in (WORKING, FAILED):
                continue
            path = self.inbox / name
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(mode):
                yield Handled(plain_name(name), "ignored", note="a folder; drop the scripts themselves")
            elif not stat.S_ISREG(mode):
                reason = f"{plain_name(name)}: {'a symbolic link' if stat.S_ISLNK(mode) else 'no regular file'}"
                refuse(path, self.inbox, f"{reason} (drop the script itself)")
                yield Handled(plain_name(name), "refused", note=reason)


def doubts(report: dict[str, Any]) -> str:
    """What is told of the lines that the gate found wrong, the first three by their reasons; "" without any."""
    found = [str(each) for each in report.get("doubtful", ())]
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    return f"to listen to, see review.html: {'; '.join(found[:3])}{more}" if found else ""


def _drop(folder: Path) -> None:
    """Remove the folder of a script that failed; one that holds something (all but a line, say) stays."""
    unmark(folder)
    if not os.listdir(folder):
        folder.rmdir()


def settled(inbox: Path, seconds: float) -> list[str]:
    """Names of regular files that did not change in size, time or identity for `seconds`, the oldest first."""
    before = _look(inbox)
    if not before:
        return []
    time.sleep(seconds)
    after = _look(inbox)
    still = [name for name, facts in before.items() if after.get(name) == facts]
    return sorted(still, key=lambda name: (before[name][1], name))


def _look(inbox: Path) -> dict[str, tuple[int, int, int]]:
    """{name: (bytes, time of change in ns, inode)} of the regular files that may be scripts."""
    found: dict[str, tuple[int, int, int]] = {}
    for entry in os.scandir(inbox):
        if not is_passing(entry.name) and entry.is_file(follow_symlinks=False):
            try:
                facts = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            found[entry.name] = (facts.st_size, facts.st_mtime_ns, facts.st_ino)
    return found


def _unreadable(script: Path) -> str | None:
    """Why a claimed file is no script to open, None when it is one."""
    shown = plain_name(script.name)
    if reason := wrong_name(script.name):
        return f"{shown}: {reason} (rename it)"
    if not stat.S_ISREG(script.lstat().st_mode):  # exchanged between our look and our claim
        return f"{shown}: no regular file (drop the script itself)"
    try:
        os.close(os.open(script, os.O_RDONLY | os.O_NOFOLLOW))
    except OSError as error:
        return f"{shown}: {error.strerror or error} (let its reader have it)"
    return None
