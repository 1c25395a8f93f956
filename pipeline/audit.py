"""Which recording, parameters, code and base weights made this file, and are they as they were? No torch."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.lineage import Link, Step, read_chain
from pipeline.narration_record import Narrated, find_narrated
from voice.consent import CONSENT_FILE, find_recordings, read_consent
from voice.errors import UserError
from voice.files import sha256_file

ORDER = ("raw", "base", "input", "params", "code", "command", "made", "output", "narration")


@dataclass(frozen=True)
class Recording:
    """One raw recording: its sha256 now, when the voice was made from it, and in its consent record."""

    path: str
    sha256: str
    used: str | None
    consented: str | None

    @property
    def state(self) -> str:
        """ok, changed since it was used or consented to, or unrecorded: not in the consent record."""
        if any(known not in (None, self.sha256) for known in (self.used, self.consented)):
            return "changed"
        return "unrecorded" if self.consented is None else "ok"


@dataclass(frozen=True)
class Source:
    """What a voice was made from: its recordings and by which right they are used."""

    voice: str
    basis: str
    scope: str
    recordings: tuple[Recording, ...]
    error: str = ""


@dataclass(frozen=True)
class BaseWeights:
    """One file of the base, its sha256 now and on its card."""

    path: str
    sha256: str | None
    card: str | None
    origin: str | None = None

    @property
    def state(self) -> str:
        """ok, changed, missing, or unrecorded on the card."""
        if self.sha256 is None:
            return "missing"
        if self.card is None:
            return "unrecorded"
        return "ok" if self.sha256 == self.card else "changed"


@dataclass(frozen=True)
class Audit:
    """The whole answer. `problems` is empty when everything is as it was when the target was made."""

    target: str
    sources: tuple[Source, ...]
    base: tuple[BaseWeights, ...]
    steps: tuple[Step, ...]
    narrated: Narrated | None
    problems: tuple[str, ...]

    @property
    def fresh(self) -> bool:
        """True without problems."""
        return not self.problems

    @property
    def verdict(self) -> str:
        """ "fresh", or "stale: " and what is wrong, nearest to the source first."""
        return "fresh" if self.fresh else f"stale: {'; '.join(self.problems)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, states included."""
        steps = []
        for step in self.steps:
            plain = asdict(step)
            for name in ("deps", "params", "outs"):
                plain[name] = [asdict(item) | {"state": item.state} for item in getattr(step, name)]
            steps.append(plain)
        sources = [
            asdict(source) | {"recordings": [asdict(item) | {"state": item.state} for item in source.recordings]}
            for source in self.sources
        ]
        return {
            "target": self.target,
            "verdict": self.verdict,
            "fresh": self.fresh,
            "problems": list(self.problems),
            "sources": sources,
            "base": [asdict(item) | {"state": item.state} for item in self.base],
            "steps": steps,
            "narration": None if self.narrated is None else asdict(self.narrated),
        }


def audit(root: Path, path: Path) -> Audit:
    """Audit an output of a stage, a folder of outputs, or a narrated file or folder.

    Raises UserError for a path outside the project, an input, or something nobody made here.
    """
    full = path.resolve()
    if not full.is_relative_to(root.resolve()):
        raise UserError(f"{path}: not inside the project {root}", "audit runs in the project that made the file")
    target = full.relative_to(root.resolve()).as_posix()
    narrated = find_narrated(root, full)
    steps = read_chain(root, f"models/{narrated.voice}" if narrated else target)
    sources = tuple(_source(root, voice) for voice in _voices(steps))
    base = _base(root, steps)
    problems = [problem for step in steps for problem in _problems(step)]
    for source in sources:
        changed = [item.path for item in source.recordings if item.state == "changed"]
        problems = _name_members(problems, f"data/raw/{source.voice}", changed)
    problems += [("raw", source.error) for source in sources if source.error]
    problems += [("base", f"{item.path} {item.state}") for item in base if item.state != "ok"]
    problems += [("narration", text) for text in (narrated.problems if narrated else ())]
    problems.sort(key=lambda entry: ORDER.index(entry[0]))  # stable: the chain's order within a kind
    texts = dict.fromkeys(text for _, text in problems)
    return Audit(target, sources, base, tuple(steps), narrated, tuple(texts))


def _problems(step: Step) -> list[tuple[str, str]]:
    """(kind, text) for everything that is not as recorded in one stage."""
    if not step.built:
        return [("output", f"{step.stage} was never built")]
    found = [(link.kind, _name(link)) for link in (*step.deps, *step.outs) if link.state != "ok"]
    for param in step.params:
        if param.state != "ok":
            found.append(("params", f"params {param.name} {param.state}"))
    if step.command_changed:
        found.append(("command", f"{step.stage} command changed"))
    return found


def _name(link: Link) -> str:
    return f"{link.path} {link.state}"


def _name_members(problems: list[tuple[str, str]], folder: str, changed: list[str]) -> list[tuple[str, str]]:
    """Say which recording changed instead of "folder changed", where a recording did."""
    named = [("raw", f"{path} changed") for path in changed]
    if named:
        return named + [problem for problem in problems if problem != ("raw", f"{folder} changed")]
    because = f"{folder} changed (its transcript or consent record; the recordings are the same)"
    return [("raw", because) if text == f"{folder} changed" else (kind, text) for kind, text in problems]


def _voices(steps: list[Step]) -> list[str]:
    """The voices whose raw data the chain reads."""
    found = [re.match(r"data/raw/([^/]+)", dep.path) for step in steps for dep in step.deps]
    return sorted({match[1] for match in found if match})


def _source(root: Path, voice: str) -> Source:
    folder = root / "data" / "raw" / voice
    try:
        consent = read_consent(folder)
        files = find_recordings(folder)
    except UserError as error:
        return Source(voice, "unknown", "", (), str(error).replace(f"{root}/", ""))
    listed = dict(consent.recordings)
    used = _used(root, voice)
    recordings = []
    for file in files:
        name = file.relative_to(folder).as_posix()
        path, digest = file.relative_to(root).as_posix(), sha256_file(file)
        recordings.append(Recording(path, digest, used.get(name), listed.pop(name, None)))
    gone = f"data/raw/{voice}/{min(listed)} missing" if listed else ""
    unlisted = [item.path for item in recordings if item.consented is None]
    error_text = gone or (f"{unlisted[0]} not listed in {CONSENT_FILE}" if unlisted else "")
    return Source(voice, consent.basis, consent.scope, tuple(recordings), error_text)


def _used(root: Path, voice: str) -> dict[str, str]:
    """File name -> sha256 of the recordings that made the voice, as its first stage wrote them down."""
    try:
        lines = (root / "data" / voice / "recordings.jsonl").read_text(encoding="utf-8").splitlines()
        return {row["file"]: row["sha256"] for row in map(json.loads, lines)}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # the chain reports a missing or changed output by itself


def _base(root: Path, steps: list[Step]) -> tuple[BaseWeights, ...]:
    """The base's weights in the chain, against the sha256 on the card that lies beside them."""
    paths = sorted({dep.path for step in steps for dep in step.deps if dep.kind == "base"})
    found: list[BaseWeights] = []
    for name in paths:
        given = root / name
        if given.is_dir():
            given = weights_folder(root, given.name)
        files = sorted(given.glob("*.safetensors")) if given.is_dir() else [given]
        for file in files:
            if file.suffix == ".safetensors":
                digest = sha256_file(file) if file.is_file() else None
                found.append(BaseWeights(file.relative_to(root).as_posix(), digest, _card(file), _origin(file)))
    return tuple(dict.fromkeys(found))


def _card(file: Path) -> str | None:
    """The sha256 that card.json gives for `file`."""
    return card_hashes(file.parent).get(file.name)


def _origin(file: Path) -> str | None:
    """The published file that `file` was made from: repository, path and sha256; None for weights of our own."""
    source = _sources(file.parent).get(file.name)
    return None if source is None else f"{source['repo']}/{source['path']} sha256 {source['sha256']}"


def weights_folder(root: Path, base: str) -> Path:
    """Where the weights of a base lie beside a card with their hashes: with its own, or where it was converted to."""
    own = root / "models" / "base" / base
    return root / "models" / "pretrained" / base if _sources(own) else own


def _sources(folder: Path) -> dict[str, dict[str, str]]:
    """Of a card in `folder`: our file's name -> the published file it is made from; {} for a base of our own."""
    try:
        return dict(json.loads((folder / "card.json").read_text(encoding="utf-8"))["sources"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def card_hashes(folder: Path) -> dict[str, str]:
    """File name -> sha256 from a base's card.json: {"files": {name: {"sha256": hex}}}; {} without."""
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        files = card["files"]
        return {name: str(entry["sha256"]) for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
