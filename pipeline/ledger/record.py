"""What narrate and say write into the ledger once their files are in place."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.ledger.append import append
from pipeline.ledger.chain import LedgerError
from pipeline.ledger.entry import Output, Run, Spoke, digest
from voice.consent import CONSENT_FILE, read_consent
from voice.errors import UserError
from voice.files import sha256_file
from voice.label import sidecar

if TYPE_CHECKING:
    from pipeline.narration.job import Narration
    from pipeline.narration.layout import Layout

WHAT_NOW = "the files are in place, but in no ledger; mend it and run again"


def record_narration(job: Narration, layout: Layout, made: Sequence[Path]) -> None:
    """Write down a narration whose files are in place: `made` are those of the book. Raises LedgerError."""
    if not layout.placed:
        return
    from pipeline.engine import sound_facts
    from pipeline.narration.manifest import NAME

    spoken: dict[str, list[str]] = {}
    for entry in layout.placed:
        spoken.setdefault(job.requests[entry.key].voice, []).append(job.done[entry.key].sha256)
    weights = {voice: sound_facts(job.engines.get(voice).info, job.options)["weights"] for voice in spoken}
    facts = job.facts
    _written(
        job.root,
        lambda: Run(
            kind="narration",
            place=_place(job.root, job.out),
            voices=[_spoke(job.root, voice, weights[voice], lines) for voice, lines in spoken.items()],
            script_sha256=sha256_file(job.script.path),
            text_sha256=facts.text_sha256,
            parameters_sha256=digest(dict(facts.parameters)),
            outputs=_outputs(job.root, job.out.parent, [*made, job.out / NAME]),
            manifest_sha256=sha256_file(job.out / NAME),
            lines_count=len(layout.placed),
        ),
    )


def record_say(root: Path, out: Path, facts: Mapping[str, Any]) -> None:
    """Write down one spoken text: `facts` are those of its sidecar. Raises LedgerError."""
    said = {name: facts[name] for name in ("parameters", "seed", "reference", "also_like") if name in facts}
    _written(
        root,
        lambda: Run(
            kind="say",
            place=_place(root, out),
            voices=[_spoke(root, str(facts["voice"]), facts["weights"], [])],
            script_sha256=None,
            text_sha256=hashlib.sha256(str(facts["text"]).encode()).hexdigest(),
            parameters_sha256=digest(said),
            outputs=_outputs(root, out.parent, [out]),
        ),
    )


def _written(root: Path, make: Any) -> None:
    try:
        append(root, make())
    except UserError as error:
        line = error.line if isinstance(error, LedgerError) else None
        hint = f"{error.hint}; {WHAT_NOW}" if error.hint else WHAT_NOW
        raise LedgerError(error.message, hint, line) from error
    except OSError as error:
        raise LedgerError(f"{error.filename}: {error.strerror or error}", WHAT_NOW) from error


def _spoke(root: Path, voice: str, weights: Mapping[str, Any], lines: list[str]) -> Spoke:
    folder = root / "data" / "raw" / voice
    there = (folder / CONSENT_FILE).is_file()  # an imported voice has none
    named = {name: value if isinstance(value, str) else json.dumps(value) for name, value in weights.items()}
    return Spoke(
        voice=voice,
        consent_id=read_consent(folder).id if there else None,
        consent_sha256=sha256_file(folder / CONSENT_FILE) if there else None,
        weights=named,
        lines=lines,
    )


def _outputs(root: Path, above: Path, files: Iterable[Path]) -> list[Output]:
    """Files with their sidecars. Those outside of the project are named from `above`: no path of the machine."""
    found = []
    for file in files:
        label = _label(file)
        for path in (file, sidecar(file)):
            if path.is_file():
                name = _place(root, path, above)
                found.append(Output(path=name, sha256=sha256_file(path), label=label if path == file else None))
    return found


def _label(file: Path) -> str | None:
    """The number that the label of a file carries, as its sidecar tells."""
    try:
        return str(json.loads(sidecar(file).read_text(encoding="utf-8"))["AIGC"]["ProduceID"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # captions and single sounds have none


def _place(root: Path, path: Path, above: Path | None = None) -> str:
    full, base = Path(os.path.abspath(path)), Path(os.path.abspath(root))
    if full.is_relative_to(base):
        return full.relative_to(base).as_posix()
    return os.path.relpath(full, os.path.abspath(above)) if above else full.name
