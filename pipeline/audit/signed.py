"""Are a narration's manifest and sidecars as the run wrote them?

A row of a manifest is bound to its sound by the sound's sha256 alone, so that all else in it could be rewritten. The
ledger has the sha256 of the manifest and of each sidecar, and is signed. Where it does not know the place, a sidecar's
sha256 over all texts still tells a text that was changed, and nothing else is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.audit.hashes import Hashes
from pipeline.audit.records import MANIFEST, SIDECARS, load_facts, texts_of
from pipeline.ledger.chain import LEDGER, LedgerError, Line, read_lines
from pipeline.ledger.verify import verify
from voice.errors import UserError


@dataclass(frozen=True)
class Ledger:
    """The checked lines of the ledger; `problem` says where they end too early, "" when all hold.

    `files` maps a path, as the runs have it, to each sha256 that some run gave it and the number of its last line.
    """

    lines: tuple[Line, ...] = ()
    problem: str = ""
    files: dict[str, dict[str, int]] = field(default_factory=dict)


def read_ledger(root: Path) -> Ledger:
    """The ledger with its signatures checked; of a broken one the lines before the first that does not hold."""
    lines: list[Line] = []
    problem = ""
    try:
        for line in read_lines(root):
            lines.append(line)
    except LedgerError as error:
        problem = str(error)
    files: dict[str, dict[str, int]] = {}
    for line in lines:
        for output in line.entry.outputs:
            files.setdefault(output.path, {})[output.sha256] = line.number
    return Ledger(tuple(lines), problem, files)


def ledger_problem(root: Path) -> str:
    """What is wrong with the ledger: a line that does not hold, or that Git has and it has not; "" without a ledger."""
    try:
        return verify(root).problem
    except UserError:
        return ""


def changed_records(root: Path, hashes: Hashes, ledger: Ledger, records: Iterable[str]) -> tuple[str, ...]:
    """A line for each manifest or sidecar (by its path) that is not as a run left it; and for a broken ledger."""
    found = [_changed(root, hashes, ledger, record) for record in dict.fromkeys(records) if record != LEDGER]
    return tuple(text for text in (ledger.problem, *found) if text)


def _changed(root: Path, hashes: Hashes, ledger: Ledger, record: str) -> str:
    written = ledger.files.get(record, {})
    if hashes.sha256(record) in written:
        return ""
    if Path(record).name == MANIFEST and (found := _other_texts(root, record)):
        return found
    if not written:
        return ""
    return f"{record} changed: not as line {max(written.values())} of the ledger has it, nor any before"


def _other_texts(root: Path, record: str) -> str:
    """A line when the manifest's texts are those of no sidecar beside it, and there are such sidecars; "" else."""
    folder = (root / record).parent
    beside = sorted(path for path in folder.glob("*.json") if path.name.endswith(SIDECARS))
    told = {path.name: load_facts(path).get("text_sha256") for path in beside}
    told = {name: value for name, value in told.items() if value}
    if not told:
        return ""
    digest = hashlib.sha256()
    for text in texts_of(root / record):
        digest.update(text.encode("utf-8", "replace") + b"\n")
    return "" if digest.hexdigest() in told.values() else f"{record} changed: its texts are not those of {min(told)}"
