"""Find the transcript of a voice's folder and read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from voice.errors import UserError
from voice.recording.containers import SUFFIXES
from voice.transcripts.check import check_rows
from voice.transcripts.decode import read_text
from voice.transcripts.model import Fault, Row, Transcript, Utterance
from voice.transcripts.plain import has_words, plain_lines, refuse_other_format
from voice.transcripts.rows import read_csv, read_jsonl, read_list
from voice.transcripts.subtitles import read_subtitles

PLAIN = "transcript.txt"
Reader = Callable[[str, Path], Iterator[Row | Fault]]
READERS: dict[str, Reader] = {
    ".srt": read_subtitles,
    ".vtt": read_subtitles,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".jsonl": read_jsonl,
    ".list": read_list,
}
_SOUNDS = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}
_BACKUPS = {".bak", ".orig", ".old", ".tmp", ".swp"}
READS = {
    ".srt": "a number, a line 00:00:01,000 --> 00:00:02,500 and the text",
    ".vtt": "a line 00:00:01.000 --> 00:00:02.500 and the text",
    ".csv": "file,text and, as wanted, lang,start,end",
    ".tsv": "file, text and, as wanted, lang, start, end, divided by tabs",
    ".jsonl": '{"file": "a.wav", "text": "..."} and, as wanted, "lang", "start", "end"',
    ".list": "path|speaker|lang|text",
}
_KNOWN = ", ".join(["txt", *(suffix[1:] for suffix in READERS)])


def load_transcript(folder: Path, recordings: Mapping[str, str]) -> Transcript:
    """The words of the voice in `folder`; `recordings` are its audio files (paths in the folder) and their ids.

    Bad rows become faults and the good ones go on; a recording that no row names is a fault, too. Raises UserError, one
    line, when `transcript.txt` is missing, two transcripts hold words, a file is not text of its format, or no row of
    it is good.
    """
    plain = folder / PLAIN
    known, unknown = _others(folder, set(recordings))
    other = known[0] if known else None
    if not plain.is_file():
        hint = "leave it empty, its words are read from the other" if other else "write the spoken words into this file"
        raise UserError(f"{plain}: no transcript", f"{hint}; empty, with no other transcript: they are recognised")
    text = read_text(plain)
    if text.strip():
        if other is not None:
            raise UserError(
                f"{folder}: two transcripts, {PLAIN} and {other.name}", f"empty {PLAIN} or remove the other"
            )
        return Transcript(tuple(_plain(text, plain)), plain, ())
    if len(known) > 1:
        raise UserError(f"{folder}: two transcripts, {known[0].name} and {known[1].name}", "keep one of them")
    if other is not None:
        return _rows(other, list(recordings))
    if unknown:
        raise UserError(f"{unknown[0]}: not a format of a transcript", f"known: {_KNOWN}")
    return Transcript((), None, ())


def plain_text(path: Path) -> list[tuple[int, str]]:
    """(line number, text) of a plain transcript's lines. Raises UserError when it has no words or is not plain."""
    return _spoken(read_text(path), path)


def _spoken(text: str, path: Path) -> list[tuple[int, str]]:
    refuse_other_format(text, path)
    lines = plain_lines(text)
    if not any(has_words(line) for _, line in lines):
        raise UserError(f"{path}: holds no words", "write the spoken words into this file")
    return lines


def _plain(text: str, path: Path) -> Iterator[Utterance]:
    for number, line in _spoken(text, path):
        if has_words(line):
            yield Utterance(line, None, None, None, None, f"{path.name}: line {number}")


def _others(folder: Path, recordings: set[str]) -> tuple[list[Path], list[Path]]:
    """Files `transcript.*` besides the plain one: those in a format that is read here, and those in another."""
    found = sorted(
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.is_file() and path.stem == "transcript" and path.name not in {PLAIN, *recordings}
        if path.suffix.lower() not in _SOUNDS | _BACKUPS and not path.name.endswith("~")
    )
    known = [path for path in found if path.suffix.lower() in READERS]
    return known, [path for path in found if path not in known]


def _rows(path: Path, files: Sequence[str]) -> Transcript:
    rows = list(READERS[path.suffix.lower()](read_text(path), path))
    if path.suffix.lower() in (".srt", ".vtt") and len(files) != 1:
        raise UserError(
            f"{path}: subtitles do not say which of {len(files)} recordings they are of",
            "give a transcript.csv with file,text,start,end",
        )
    good, faults = check_rows(rows, files)
    if not good:
        first = f"; the first of {len(faults)}: {faults[0]}" if faults else ""
        raise UserError(f"{path}: no row can be used{first}", f"a row is {READS[path.suffix.lower()]}")
    spoken = {utterance.recording for utterance in good}
    faults += [
        Fault(path.name, "no_row", f"{file!r}: no row gives words to it") for file in files if file not in spoken
    ]
    return Transcript(tuple(good), path, tuple(faults))
