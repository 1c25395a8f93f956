"""What became of an input: segments, features, checkpoints, metrics, sounds; in all voices, now and in the past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.history import Version, read_versions
from pipeline.audit.origins import Origin, find_consents, find_origins, readers
from pipeline.audit.past import Past, find_past
from pipeline.audit.project import Project, open_project
from pipeline.audit.records import read_all
from pipeline.audit.sounds import Sound, find_sounds
from pipeline.audit.sources import read_source
from pipeline.audit.utterances import Utterance, read_utterances
from pipeline.git import SHALLOW
from voice.errors import UserError


@dataclass(frozen=True)
class Made:
    """One output that the input had a part in: `recorded` is its md5 at the last run, `there` whether it exists.

    `share` says how: "made" for what follows from the whole input; for weights of a voice with several recordings
    "trained N times", "held out only" or "beside it": none of its segments were in a batch. None: not known.
    """

    path: str
    stage: str
    recorded: str | None
    there: bool
    share: str | None


@dataclass(frozen=True)
class Forward:
    """The whole answer. `segments` and `shards` are files made of just this input, where it is a recording."""

    target: str
    origins: tuple[Origin, ...]
    voices: tuple[str, ...]
    stages: tuple[str, ...]
    utterances: tuple[Utterance, ...]
    segments: tuple[str, ...]
    shards: tuple[str, ...]
    made: tuple[Made, ...]
    sounds: tuple[Sound, ...]
    past: tuple[Past, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = dict(vars(self))
        for name in ("origins", "utterances", "made", "sounds"):
            found[name] = [dict(vars(item)) for item in found[name]]
        return found | {"past": [asdict(past) for past in self.past]}


def forward(root: Path, given: str | None = None, consent: str | None = None) -> Forward:
    """What became of the input `given`, or of all that rests on the consent record `consent` (its id or sha256).

    Raises UserError for what is no input, and for a consent that nothing here knows.
    """
    with open_project(root) as project:
        return forward_in(project, given, consent)


def forward_in(project: Project, given: str | None, consent: str | None = None) -> Forward:
    """`forward` in an opened project."""
    spoken, notes = read_all(project.root)
    origins = find_consents(project, consent) if consent else find_origins(project, given or "")
    touched = {name for origin in origins for name in _below(project, origin)}
    stages = project.select(touched)
    voices = sorted({stage.voice for stage in stages} - {""})
    utterances = _utterances(project, origins, voices, notes)
    names = {(row.voice, row.id) for row in utterances}
    versions = read_versions(project)
    past, unsure = find_past(project, versions, origins, consent)
    notes += unsure + ([SHALLOW] if project.git and project.git.shallow() else [])
    notes += [] if project.git else ["not a Git repository: past versions are not known"]
    keys = {origin.key for origin in origins if origin.key} | _named(project, versions, consent)
    sounds, wrong = find_sounds(project, spoken, _speaking(project, touched), keys, versions)
    notes += wrong
    if consent and not (origins or past or sounds):
        raise UserError(f"--consent {consent}: no record, version or narration here has it", "see `reprovoice consent`")
    return Forward(
        target=consent or origins[0].path,
        origins=tuple(origins),
        voices=tuple(voices),
        stages=tuple(stage.address for stage in stages),
        utterances=tuple(utterances),
        segments=tuple(_segment_files(project, voices, names)),
        shards=tuple(sorted({f"data/{row.voice}/features/{row.shard}" for row in utterances if row.shard})),
        made=tuple(
            Made(path, stage.address, recorded, (project.root / path).exists(), _share(path, stage.voice, utterances))
            for stage in stages
            for path, recorded in stage.outs.items()
        ),
        sounds=tuple(sounds),
        past=tuple(past),
        notes=tuple(notes),
    )


def _below(project: Project, origin: Origin) -> set[str]:
    """The stages that read `origin`, and all that follow from them."""
    found = readers(project, origin)
    return found.union(*(project.lineage.after(name) for name in found))


def _utterances(
    project: Project, origins: Sequence[Origin], voices: Iterable[str], notes: list[str]
) -> list[Utterance]:
    """The utterances of the recordings, or all of a voice whose transcript or consent it is."""
    recordings = {origin.path for origin in origins if origin.kind == "recording"}
    whole = {origin.voice for origin in origins if origin.kind in ("raw", "consent")}
    wanted = {origin.voice for origin in origins if origin.voice}
    found: list[Utterance] = []
    for voice in voices:
        if voice in wanted:
            table = read_utterances(project, voice)
            notes += table.notes
            found += [row for row in table.rows if voice in whole or row.file in recordings]
    return found


def _segment_files(project: Project, voices: Iterable[str], names: set[tuple[str, str]]) -> list[str]:
    found = []
    for voice in voices:
        folder = project.root / "data" / voice / "segments"
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        found += [f"data/{voice}/segments/{file.name}" for file in files if (voice, file.stem) in names]
    return found


def _share(path: str, voice: str, rows: Sequence[Utterance]) -> str | None:
    name = path.rsplit("/", 1)[-1].removesuffix(".safetensors")
    mine = [row for row in rows if row.voice == voice]
    if not path.endswith(".safetensors") or not mine:
        return "made"
    times = [row.times.get(name) for row in mine if row.fate == "train"]
    if any(count is None for count in times):
        return None
    if total := sum(count or 0 for count in times):
        return f"trained {total} times"
    return "held out only" if any(row.fate == "held_out" for row in mine) else "beside it"


def _named(project: Project, versions: Sequence[Version], consent: str | None) -> set[str]:
    """All names of the records that go by `consent`, now and in the past: sounds have the sha256 of theirs."""
    if consent is None:
        return set()
    known = [read_source(project.root, project.hashes, voice).consent_ids for voice in project.voices]
    known += [names for version in versions for names in version.consents.values()]
    return {consent}.union(*(names for names in known if consent in names))


def _speaking(project: Project, touched: set[str]) -> set[str]:
    """Voices that have weights among the outputs of these stages."""
    return {
        stage.voice
        for stage in project.select(touched)
        if any(path.startswith(f"models/{stage.voice}/") for path in stage.outs)
    }
