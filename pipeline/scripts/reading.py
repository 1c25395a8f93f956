"""The function that reads a script, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from pipeline.scripts.build import Builder
from pipeline.scripts.cast import Cast
from pipeline.scripts.epub import read_epub
from pipeline.scripts.lines import MAX_BYTES, Place, Script
from pipeline.scripts.markdown import read_markdown
from pipeline.scripts.plain import read_plain
from pipeline.scripts.subtitles import read_cues
from pipeline.scripts.tables import read_csv, read_jsonl
from voice.errors import UserError
from voice.transcripts.decode import read_text

Reader = Callable[[str, Builder], None]
_READERS: dict[str, tuple[Reader, str]] = {
    ".txt": (read_plain, "line"),
    ".md": (read_markdown, "line"),
    ".markdown": (read_markdown, "line"),
    ".jsonl": (read_jsonl, "line"),
    ".csv": (read_csv, "row"),
    ".srt": (read_cues, "cue"),
    ".vtt": (read_cues, "cue"),
}
FORMATS = (*_READERS, ".epub")


def read_script(path: Path, cast: Cast | None = None, voices: Collection[str] | None = None) -> Script:
    """Chapters and lines of a script; its suffix says its format. With `voices`, each voice it names is one of them.

    Text is UTF-8, or UTF-16 and UTF-32 with a mark at the start. Raises UserError, one line with the place in the
    file: no file, another format or encoding, nothing to speak, marks or values that are wrong, an unknown voice, a
    reference that is missing or outside of the script's folder, tags of HTML where they would be read aloud, a line
    that is too long and has no place to be cut, cues that overlap, an archive that is damaged or protected.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise UserError(f"{path}: no such script", "give the path of a script")
    if suffix not in FORMATS:
        raise UserError(f"{path}: {suffix or 'no suffix'} is no format of a script", f"known: {', '.join(FORMATS)}")
    if suffix == ".epub":
        return read_epub(Builder(Place(path, "paragraph"), cast, voices))
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"{path}: {path.stat().st_size} bytes, the limit is {MAX_BYTES}", "split it into volumes")
    read, unit = _READERS[suffix]
    builder = Builder(Place(path, unit), cast, voices)
    text = read_text(path)
    if text.strip():
        read(text, builder)
    return builder.script()
