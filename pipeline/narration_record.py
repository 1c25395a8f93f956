"""What a narrated or spoken file says about itself: its manifest or sidecar, checked against the bytes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice.errors import UserError
from voice.files import sha256_file

HEX64 = re.compile(r"[0-9a-f]{64}")
SOUNDS = (".wav", ".flac", ".opus", ".mp3", ".m4b")


@dataclass(frozen=True)
class SpokenFile:
    """One sound file with the sha256 in its record and the one it has now (None: missing)."""

    path: str
    text: str
    recorded: str
    current: str | None

    @property
    def state(self) -> str:
        """ok, changed or missing."""
        if self.current is None:
            return "missing"
        return "ok" if self.current == self.recorded else "changed"


@dataclass(frozen=True)
class Narrated:
    """What a narration or a single utterance is: who spoke (of several voices the first one), and its files."""

    voice: str
    record: str
    files: tuple[SpokenFile, ...]
    problems: tuple[str, ...]


def find_narrated(root: Path, path: Path) -> Narrated | None:
    """The record that covers `path` (absolute): a sidecar beside it, or a manifest in its folder or above.

    None when there is none. Raises UserError for a damaged record.
    """
    beside = path.with_name(path.name + ".json")
    if path.suffix in SOUNDS and beside.is_file():
        facts = _load(beside)
        text = str(facts.get("text", ""))
        return _check(root, beside, _voices(facts), [(path, text, str(facts["sha256"]))], facts.get("weights"))
    for folder in (path, path.parent, path.parent.parent):
        manifest = folder / "manifest.jsonl"
        if not manifest.is_file() or not folder.is_relative_to(root):
            continue
        rows = [_row(manifest, number, text) for number, text in enumerate(manifest.read_text().splitlines(), 1)]
        rows = [row for row in rows if row.get("file")]
        spoken = [(folder / row["file"], str(row["text"]), str(row["sha256"])) for row in rows]
        books = [(file, _load(file.with_name(file.name + ".json"))) for file in _books(folder)]
        spoken += [(file, "", str(facts["sha256"])) for file, facts in books]
        covered = [entry for entry in spoken if path in (folder, manifest, entry[0], entry[0].parent)]
        if covered and rows:
            weights = books[0][1].get("weights") if books else None
            own = [row for row in rows if folder / row["file"] == path] or rows
            return _check(root, manifest, list(dict.fromkeys(str(row["voice"]) for row in own)), covered, weights)
    return None


def _books(folder: Path) -> list[Path]:
    """The book in every kind, and its chapters."""
    found = [file for file in sorted(folder.glob("*")) if file.suffix in SOUNDS]
    found += [file for file in sorted((folder / "chapters").glob("*")) if file.suffix in SOUNDS]
    return [file for file in found if file.with_name(file.name + ".json").is_file()]


def _voices(facts: dict[str, Any]) -> list[str]:
    voices = facts.get("voices")
    return [str(voice) for voice in voices] if isinstance(voices, list) and voices else [str(facts["voice"])]


def _check(root: Path, record: Path, voices: list[str], spoken: list[tuple[Path, str, str]], weights: Any) -> Narrated:
    files = tuple(
        SpokenFile(file.relative_to(root).as_posix(), text, digest, sha256_file(file) if file.is_file() else None)
        for file, text, digest in spoken
    )
    problems = [f"{file.path} {file.state}" for file in files if file.state != "ok"]
    named = set(HEX64.findall(json.dumps(weights)))
    for file in sorted(file for voice in voices for file in (root / "models" / voice).glob("*.safetensors")):
        if named and sha256_file(file) not in named:
            problems.append(f"{file.relative_to(root).as_posix()} is not what spoke this")
    return Narrated(voices[0], record.relative_to(root).as_posix(), files, tuple(problems))


def _load(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or not {"voice", "sha256"} <= set(facts):
            raise ValueError("voice or sha256 is missing")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a record of generated speech: {error}", "render the file again") from error
    return facts


def _row(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
        name = row["file"]
        if name is not None and (name.startswith("/") or ".." in Path(name).parts):
            raise ValueError(f"{name!r} leaves the folder")
        row["voice"], row["text"], row["sha256"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}, line {number}: not a manifest row: {error}", "narrate again") from error
    return dict(row)
