"""`reprovoice read`: how a text is read, with the own words of the project and of a voice."""

from __future__ import annotations

import re
import sys
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.output import emit_json, emit_table
from pipeline.settings import find_root, project_root
from voice.errors import UserError

if TYPE_CHECKING:
    from voice.text import Reading

Text = Annotated[str, typer.Argument(help="What to read.")]
Lang = Annotated[str, typer.Option("--lang", help="auto, zh, en, ja, ko or yue.")]
Voice = Annotated[str | None, typer.Option("--voice", help="Read with this voice's lexicon.yaml too.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("read")(read)


def read(text: Text, lang: Lang = "auto", voice: Voice = None, as_json: Json = False) -> None:
    """Show how a text is read: languages, words, phones, and where each reading comes from."""
    if not text.strip():
        raise UserError("there is no text", "give the text as one argument, in quotes")
    from voice.text import read_text

    reading = read_text(text, lang, own_words(voice))
    if as_json:
        emit_json(facts(reading))
        return
    if reading.words:
        emit_table(["segment", "language", "word", "phones", "source"], _rows(reading))
    print(reading.norm)
    for warning in reading.warnings:
        print(f"note: {warning}", file=sys.stderr)


def own_words(voice: str | None) -> dict[str, str]:
    """Readings in the project's lexicon and in the voice's, whose entries win; none outside a project.

    Raises UserError for a voice without a folder.
    """
    root = find_root() if voice is None else project_root()
    if root is None:
        return {}
    if voice is not None:
        folder = root / "data" / "raw" / voice
        if not re.fullmatch(r"\w[\w.-]*", voice) or not folder.is_dir():
            raise UserError(f"--voice {voice}: no folder data/raw/{voice}", "see the voices in params.yaml")
    from stages.common import lexicon_files
    from voice.text import load_lexicon

    return load_lexicon(*lexicon_files(voice, root))


def facts(reading: Reading) -> dict[str, Any]:
    """A reading as plain values."""
    return {
        "text": reading.text,
        "norm": reading.norm,
        "phones": list(reading.phones),
        "word2ph": list(reading.word2ph),
        "words": list(reading.words),
        "langs": list(reading.langs),
        "sources": list(reading.sources),
        "segments": [
            {"lang": span.lang, "text": span.text, "start": span.start, "end": span.end} for span in reading.segments
        ],
        "warnings": list(reading.warnings),
    }


def _rows(reading: Reading) -> list[list[str]]:
    """One row a unit; the text of a segment stands at its first."""
    texts = {span.start: span.text for span in reading.segments}
    ends = list(accumulate(reading.word2ph))
    return [
        [texts.get(place, ""), lang, word, " ".join(reading.phones[end - size : end]), source]
        for place, (lang, word, end, size, source) in enumerate(
            zip(reading.langs, reading.words, ends, reading.word2ph, reading.sources, strict=True)
        )
    ]
