"""Make the folder of a voice from files that lie elsewhere: copies with safe names, words, an entry in params.yaml."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pipeline.params_entry import with_voice
from stages.params import Name, load_params
from voice.consent import CONSENT_FILE, READABLE, find_recordings
from voice.errors import UserError
from voice.files import write_text
from voice.transcripts import Fault, load_transcript
from voice.transcripts.load import PLAIN, READERS
from voice.transcripts.names import safe_name


@dataclass(frozen=True)
class Added:
    """What was made: new names by source, whether params.yaml has the voice now, and what to do next."""

    folder: Path
    files: dict[str, str]
    transcript: str
    faults: tuple[Fault, ...]
    entry: bool
    steps: tuple[str, ...]


def add_files(root: Path, voice: str, files: Sequence[Path], transcript: Path | None, lang: str | None) -> Added:
    """Copy `files` into data/raw/<voice>, all or none, never over a file that is there.

    Raises UserError for a bad name or language, a file that is no sound, names that clash, a transcript that cannot be
    used, and words that are there already.
    """
    _check_name(voice)
    folder = root / "data/raw" / voice
    params = root / "params.yaml"
    known = load_params(root).voices
    if voice in known and lang not in (None, known[voice].lang):
        raise UserError(f"params.yaml: voices.{voice}.lang is {known[voice].lang}, not {lang}", "change it there")
    entry = None if voice in known else with_voice(params.read_text(encoding="utf-8"), voice, lang or "auto")
    there = {p.relative_to(folder).as_posix() for p in find_recordings(folder)} if _has_sound(folder) else set()
    by_rows = transcript is not None and transcript.suffix.lower() in READERS
    names = _names(files, there, number=not by_rows)
    words = _words_name(folder, transcript)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{voice}.") as name:
        stage = Path(name)
        try:
            for source, target in names.items():
                shutil.copyfile(source, stage / target)
            if transcript is not None:
                shutil.copyfile(transcript, stage / words)
        except OSError as error:
            raise UserError(f"{error.filename}: cannot be copied: {error.strerror}", "nothing was added") from error
        if not (folder / PLAIN).is_file() and not (stage / PLAIN).is_file():
            (stage / PLAIN).write_bytes(b"")
        faults = _check_words(stage, there | set(names.values()), transcript, words)
        _move(stage, folder)
    if entry is not None:
        write_text(params, entry)
    has_entry = voice in known or entry is not None
    consent = (folder / CONSENT_FILE).is_file()
    steps = _steps(voice, lang or "auto", has_entry, consent)
    return Added(folder, {str(s): t for s, t in names.items()}, words, faults, has_entry, steps)


def _check_name(voice: str) -> None:
    try:
        TypeAdapter(Name).validate_python(voice)
    except ValidationError as error:
        rule = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"voice {voice!r}: {rule}", "for example anna or anna_2") from error


def _has_sound(folder: Path) -> bool:
    return folder.is_dir() and any(p.suffix.lower() in READABLE for p in folder.rglob("*") if p.is_file())


def _names(files: Sequence[Path], there: set[str], *, number: bool) -> dict[Path, str]:
    """A safe name for each file; those that would be one id in the tables are told apart by a number, or refused."""
    taken = {_key(name): name for name in there}
    found: dict[Path, str] = {}
    for file in files:
        if file in found:
            raise UserError(f"{file}: given twice", "give each file once")
        if not file.is_file():
            raise UserError(f"{file}: no such file", "give sound files, for example takes/*.wav")
        if file.suffix.lower() not in READABLE:
            raise UserError(f"{file}: not a sound file by its name", f"read are {', '.join(sorted(READABLE))}")
        if file.stat().st_size == 0:
            raise UserError(f"{file}: the file is empty", "record or copy it again")
        name = safe_name(file.name)
        if _key(name) in taken:
            if name in there:
                raise UserError(f"{file}: {name} is in the voice's folder already", "nothing is overwritten: rename it")
            if not number:
                other = taken[_key(name)]
                raise UserError(f"{file}: its name is too near to that of {other}", "rename one, here and in the rows")
            stem, suffix = Path(name).stem, Path(name).suffix
            count = next(n for n in range(2, len(taken) + 3) if _key(f"{stem}-{n}{suffix}") not in taken)
            name = f"{stem}-{count}{suffix}"
        taken[_key(name)] = name
        found[file] = name
    return found


def _key(name: str) -> str:
    """Names with the same key would get one id: it has small letters and digits only, and no suffix."""
    return re.sub(r"[^a-z0-9]+", "-", name.rpartition(".")[0].lower()).strip("-")


def _words_name(folder: Path, transcript: Path | None) -> str:
    """What the transcript will be called. Raises UserError when there are words, or the file cannot be one."""
    if transcript is None:
        return PLAIN
    suffix = transcript.suffix.lower()
    if suffix != ".txt" and suffix not in READERS:
        known = ", ".join([".txt", *READERS])
        raise UserError(f"{transcript}: not a format of a transcript", f"known: {known}")
    if not transcript.is_file():
        raise UserError(f"{transcript}: no such file", "check the name")
    if folder.is_dir():
        for path in sorted(folder.glob("transcript.*")):
            if path.suffix.lower() in READERS or (path.name == PLAIN and path.read_bytes().strip()):
                raise UserError(f"{path}: there is a transcript already", "nothing is overwritten: edit or remove it")
    return f"transcript{suffix}"


def _check_words(stage: Path, recordings: set[str], transcript: Path | None, words: str) -> tuple[Fault, ...]:
    """Read the transcript as `align` will, before anything is put in place."""
    if transcript is None:
        return ()
    try:
        return load_transcript(stage, {name: _key(name) for name in sorted(recordings)}).faults
    except UserError as error:
        told = error.message.replace(str(stage / words), str(transcript)).replace(str(stage), str(transcript))
        raise UserError(told, error.hint) from error


def _move(stage: Path, folder: Path) -> None:
    """Put all files of `stage` into `folder`; when one cannot be, those before it are taken out again."""
    made = not folder.is_dir()
    folder.mkdir(exist_ok=True)
    had_empty = (folder / PLAIN).is_file()
    done: list[Path] = []
    try:
        for path in sorted(stage.iterdir()):
            target = folder / path.name
            if target.exists() and (target.name != PLAIN or target.read_bytes().strip()):
                raise UserError(f"{target}: is there already", "nothing is overwritten: rename the new one")
            path.replace(target)
            done.append(target)
    except BaseException:
        for target in done:
            target.unlink(missing_ok=True)
        if had_empty and folder / PLAIN in done:
            (folder / PLAIN).touch()
        with suppress(OSError):
            if made:
                folder.rmdir()
        raise


def _steps(voice: str, lang: str, entry: bool, consent: bool) -> tuple[str, ...]:
    renew = "renew the consent record, which lists every recording" if consent else "say by which right"
    steps = [f'reprovoice consent new {voice} --basis self --subject "NAME" --scope "WHAT FOR"   # {renew}']
    if not entry:
        steps.append(f"add to `voices` in params.yaml:  {voice}: {{lang: {lang}}}")
    return (*steps, f"reprovoice rebuild --voice {voice}")
