"""Which run made these bytes, or carries this number in its label?"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.ledger.chain import LEDGER, Line, read_lines
from pipeline.ledger.entry import Spoke, flat_weights
from voice.errors import UserError
from voice.files import sha256_file

_SHA256, _LABEL = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Found:
    """One entry that has what was asked for.

    - how: file (the bytes of `path`), line (those of a line of the narration at `path`), label (its number alone: the
      bytes are others, or were not given)
    - voices: of a line the one that spoke it, else all of the run; sha256: as recorded
    - text: what the line says, where the narration's manifest still lies there as recorded
    """

    number: int
    time: str
    kind: str
    how: str
    path: str
    sha256: str
    voices: tuple[Spoke, ...]
    text_sha256: str
    script_sha256: str | None
    parameters_sha256: str
    labels: tuple[str, ...]
    public_key: str
    text: str | None = None

    @property
    def record(self) -> str:
        """Where it is written."""
        return f"{LEDGER} line {self.number}"

    @property
    def weights(self) -> tuple[tuple[str, str], ...]:
        """Flat (name, sha256) of weights; of several voices with the voice before each name."""
        return flat_weights(self.voices)

    @property
    def consents(self) -> tuple[str, ...]:
        """sha256 of the consent records."""
        return tuple(spoke.consent_sha256 for spoke in self.voices if spoke.consent_sha256)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        voices = [spoke.model_dump(mode="json", exclude={"lines"}) for spoke in self.voices]
        return asdict(self) | {"record": self.record, "voices": voices}


def find(root: Path, asked: str) -> list[Found]:
    """The runs that made a file (by its bytes, else by the number in its label), a sha256 or a label's number.

    The latest first. Raises UserError when there is none, or `asked` is none of these; LedgerError for a broken ledger.
    """
    path = Path(asked)
    if path.is_file():
        digest, label = sha256_file(path), label_of(path)
        if found := look_up(root, digest, label):
            return found
        known = f", nor the number {label} of its label" if label else "; it carries no label with a number"
        raise UserError(f"{asked}: unknown: no run in {LEDGER} made its sha256 {digest}{known}")
    if _SHA256.fullmatch(asked) and (found := look_up(root, asked, None)):
        return found
    if _LABEL.fullmatch(asked) and (found := look_up(root, None, asked)):
        return found
    if _SHA256.fullmatch(asked) or _LABEL.fullmatch(asked):
        raise UserError(f"{asked}: unknown: no run in {LEDGER} has it")
    raise UserError(f"{asked}: no such file, and neither a sha256 nor the number of a label", "64 or 32 hex digits")


def look_up(root: Path, digest: str | None, label: str | None) -> list[Found]:
    """Entries that have these bytes; where none has, those with this number. The latest first."""
    same: list[Found] = []
    alike: list[Found] = []
    for line in read_lines(root):
        entry = line.entry
        for output in entry.outputs:
            if output.sha256 == digest:
                same.append(_found(line, "file", output.path, output.sha256))
            elif label is not None and output.label == label:
                alike.append(_found(line, "label", output.path, output.sha256))
        for spoke in entry.voices if digest else ():
            if digest in spoke.lines:
                text = _text(root, line, str(digest))
                same.append(_found(line, "line", entry.place, str(digest), (spoke,), text))
    return (same or alike)[::-1]


def label_of(path: Path) -> str | None:
    """The number in the label of an audio file, None when it carries none or is no audio."""
    from voice.mastering.tags import read_aigc  # with FFmpeg behind it

    try:
        found = (read_aigc(path) or {}).get("ProduceID")
    except UserError:
        return None  # no kind of file that can carry one, or damaged; its bytes were asked about before
    return found if isinstance(found, str) and found else None


def _found(
    line: Line, how: str, path: str, digest: str, voices: tuple[Spoke, ...] = (), text: str | None = None
) -> Found:
    entry = line.entry
    labels = tuple(dict.fromkeys(output.label for output in entry.outputs if output.label))
    return Found(
        line.number, entry.time, entry.kind, how, path, digest, voices or tuple(entry.voices), entry.text_sha256,
        entry.script_sha256, entry.parameters_sha256, labels, entry.public_key, text,
    )  # fmt: skip


def _text(root: Path, line: Line, digest: str) -> str | None:
    manifest = root / line.entry.place / "manifest.jsonl"
    if not manifest.is_file() or sha256_file(manifest) != line.entry.manifest_sha256:
        return None
    with manifest.open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            if row["sha256"] == digest:
                return str(row["text"])
    return None
