"""All records of generated speech in a project: manifests of narrations, and the sidecars beside sound files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice.errors import UserError

SOUNDS = (".wav", ".flac", ".opus", ".mp3", ".m4b", ".m4a", ".ogg")
MANIFEST = "manifest.jsonl"
DEEPEST = 12  # folders below the project
SIDECARS = tuple(f"{suffix}.json" for suffix in SOUNDS)
_SKIPPED = {"__pycache__", "node_modules", "mlruns"}


@dataclass(frozen=True)
class Spoken:
    """One sound file as its record has it.

    `path` is relative to the project (POSIX), `record` is the file that says so; `weights` maps names to sha256, as
    far as the record has them; `consents` are the ids of consent records, `references` the sha256 of clips whose manner
    it follows; `kind` is line, book (or chapter) or file.
    """

    path: str
    record: str
    voices: tuple[str, ...]
    sha256: str
    text: str
    consents: tuple[str, ...]
    weights: tuple[tuple[str, str], ...] = ()
    references: tuple[str, ...] = ()
    kind: str = "file"


def find_records(root: Path) -> Iterator[Path]:
    """Manifests and sidecars below `root`, in order; hidden folders (.git, .venv, .cache, .dvc) are left out."""
    for folder, names in _walk(root):
        for name in names:
            if name == MANIFEST or name.endswith(SIDECARS):
                yield Path(folder, name)


def find_sound_files(root: Path) -> list[str]:
    """Paths of sounds below `root`, in order; without what stages read and make, data and models."""
    above = len(str(root)) + 1
    found = [f"{folder}/{name}"[above:] for folder, names in _walk(root) for name in names
             if name.endswith(SOUNDS)]  # fmt: skip
    return [path for path in found if not path.startswith(("data/", "models/"))]


def _walk(root: Path) -> Iterator[tuple[str, list[str]]]:
    top = str(root)
    for folder, folders, files in os.walk(top):
        depth = folder[len(top) :].count(os.sep)
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in _SKIPPED and depth < DEEPEST)
        yield folder, sorted(files)


def read_all(root: Path) -> tuple[list[Spoken], list[str]]:
    """Everything spoken that has a record, and one line for each record that cannot be read."""
    found: list[Spoken] = []
    wrong: list[str] = []
    for path in find_records(root):
        try:
            found += read_manifest(root, path) if path.name == MANIFEST else [read_sidecar(root, path)]
        except UserError as error:
            wrong.append(error.message.replace(f"{root}/", ""))
    return found, wrong


def read_sidecar(root: Path, path: Path) -> Spoken:
    """The record beside a sound file. Raises UserError when it is damaged."""
    facts = load_facts(path)
    sound = path.with_name(path.name.removesuffix(".json"))
    return Spoken(
        path=_relative(root, sound),
        record=_relative(root, path),
        voices=voices_of(facts),
        sha256=str(facts["sha256"]),
        text=str(facts.get("text", "")),
        consents=_consents(facts),
        weights=_weights(facts.get("weights")),
        references=_references(facts),
        kind="book" if "text_sha256" in facts else "file",
    )


def read_manifest(root: Path, path: Path) -> list[Spoken]:
    """The lines of a narration that have a file. Raises UserError when a row is damaged."""
    found: list[Spoken] = []
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        row = _row(path, number, line)
        if row["file"]:
            consents = (str(row["consent_id"]),) if row.get("consent_id") else ()
            found.append(
                Spoken(
                    path=_relative(root, path.parent / row["file"]),
                    record=_relative(root, path),
                    voices=(str(row["voice"]),),
                    sha256=str(row["sha256"]),
                    text=str(row["text"]),
                    consents=consents,
                    kind="line",
                )
            )
    return found


def texts_of(path: Path) -> Iterator[str]:
    """The text of each row of a manifest, with a file or without. Raises UserError when a row is damaged."""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        yield str(_row(path, number, line)["text"])


def load_facts(path: Path) -> dict[str, Any]:
    """The values of a sidecar. Raises UserError when it is no record of generated speech."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or not {"voice", "sha256"} <= set(facts):
            raise ValueError("voice or sha256 is missing")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a record of generated speech: {error}", "render the file again") from error
    return facts


def voices_of(facts: dict[str, Any]) -> tuple[str, ...]:
    """The voices that a sidecar names."""
    voices = facts.get("voices")
    return tuple(map(str, voices)) if isinstance(voices, list) and voices else (str(facts["voice"]),)


def _consents(facts: dict[str, Any]) -> tuple[str, ...]:
    several = facts.get("consents")
    if isinstance(several, dict):
        return tuple(str(value) for value in several.values() if value)
    return (str(facts["consent_id"]),) if facts.get("consent_id") else ()


def _references(facts: dict[str, Any]) -> tuple[str, ...]:
    one, more = facts.get("reference"), facts.get("also_like")
    found = [one.get("sha256")] if isinstance(one, dict) else []
    return tuple(str(item) for item in [*found, *(more if isinstance(more, list) else [])] if item)


def _weights(value: Any, voice: str = "") -> tuple[tuple[str, str], ...]:
    """Flat (name, sha256) of weights, which are a mapping, or one for each voice."""
    if not isinstance(value, dict):
        return ()
    found: list[tuple[str, str]] = []
    for name, entry in value.items():
        named = f"{voice}/{name}" if voice else str(name)
        found += _weights(entry, named) if isinstance(entry, dict) else [(named, str(entry))]
    return tuple(found)


def _relative(root: Path, path: Path) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")


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
